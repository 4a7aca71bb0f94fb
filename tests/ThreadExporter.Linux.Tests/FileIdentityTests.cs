namespace ThreadExporter.Linux.Tests;

public sealed class FileIdentityTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly string _path;

    public FileIdentityTests() => _path = _directory.Write("file", "content");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Names_the_file_behind_all_links()
    {
        FileIdentity file = FileIdentity.Read(_path);
        File.CreateSymbolicLink(_path + "1", "file");
        File.CreateSymbolicLink(_path + "2", _path + "1");
        Assert.Equal((ReadStatus.Ok, 7UL, true, false), (file.Status, file.Size, file.IsRegularFile, file.IsDirectory));
        Assert.Equal(file, FileIdentity.Read(_path + "2"));
        Assert.InRange(DateTime.UtcNow - DateTime.UnixEpoch.AddTicks(file.ChangedAt / 100), TimeSpan.FromSeconds(-1), TimeSpan.FromSeconds(60));
    }

    [Fact]
    public void Differs_after_every_change()
    {
        List<FileIdentity> seen = [FileIdentity.Read(_path)];
        // File times have the resolution of the kernel's clock tick.
        void Change(Action change)
        {
            Thread.Sleep(20);
            change();
            seen.Add(FileIdentity.Read(_path));
        }
        DateTime modified = File.GetLastWriteTimeUtc(_path);
        Change(() => File.WriteAllText(_path, "CONTENT"));
        Change(() => File.SetLastWriteTimeUtc(_path, modified));
        Change(() => File.SetUnixFileMode(_path, UnixFileMode.UserRead));
        Change(() => File.Move(_directory.Write("new", "content"), _path, overwrite: true));
        Change(() => File.Delete(_path));
        Change(() => File.WriteAllText(_path, "content"));
        Assert.Equal(seen.Count, seen.Distinct().Count());
        Assert.Equal(ReadStatus.Gone, seen[^2].Status);
    }

    [Fact]
    public void Is_the_same_as_long_as_a_file_is_only_read()
    {
        FileIdentity before = FileIdentity.Read(_path);
        Thread.Sleep(20);
        File.ReadAllText(_path);
        Assert.Equal(before, FileIdentity.Read(_path));
    }

    [Fact]
    public void Has_the_reason_when_there_is_no_file()
    {
        File.CreateSymbolicLink(_path + "-loop", _path + "-loop");
        Assert.Equal(ReadStatus.Gone, FileIdentity.Read(_path + "-none").Status);
        Assert.Equal(ReadStatus.Gone, FileIdentity.Read(_path + "/below").Status);
        Assert.Equal(ReadStatus.Other, FileIdentity.Read(_path + "-loop").Status);
        Assert.True(FileIdentity.Read(_directory.Path).IsDirectory);
        Assert.False(FileIdentity.Read("/dev/null").IsRegularFile);
    }
}
