using ThreadExporter.Hosting;
using ThreadExporter.Settings;

namespace ThreadExporter.Tests.Hosting;

/// <summary>A directory that other users can write, as in a container: what they put there is neither followed nor opened.</summary>
public sealed class ReloadStatusFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("te-run-").FullName;
    private readonly ReloadResult _result = new(1, [], []);

    private string File => Path.Combine(_directory, $"{Environment.ProcessId}.json");

    private string Victim => Path.Combine(_directory, "victim");

    [Fact]
    public void A_link_in_place_of_the_file_is_replaced_and_its_target_stays()
    {
        System.IO.File.WriteAllText(Victim, "victim");
        System.IO.File.CreateSymbolicLink(File, Victim);
        ReloadStatusFile statusFile = new(_directory);
        Assert.True(statusFile.TryWrite(_result, null, out _));
        Assert.Null(new FileInfo(File).LinkTarget);
        Assert.NotNull(ReloadStatusFile.TryRead(File));
        Assert.Equal("victim", System.IO.File.ReadAllText(Victim));
        statusFile.Delete();
        Assert.Equal([Victim], Directory.GetFiles(_directory));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_existing_entry_with_the_temporary_name_is_not_written_to(bool link)
    {
        System.IO.File.WriteAllText(Victim, "victim");
        ulong start = ProcessStart();
        // The name that is used, and the one that is easily guessed.
        foreach (string name in (string[])[$"{File}.new", $"{File}.{start}.new"])
        {
            if (link)
                System.IO.File.CreateSymbolicLink(name, Victim);
            else
                Libc.MakeFifo(name);
        }
        string[] before = [.. Directory.GetFileSystemEntries(_directory).Order(StringComparer.Ordinal)];
        ReloadStatusFile statusFile = new(_directory);
        // Opening a FIFO without a reader blocks forever.
        (bool written, string? error) = await Task.Run(() => (statusFile.TryWrite(_result, null, out string? error), error))
            .WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.False(written);
        Assert.Contains("exists", error, StringComparison.Ordinal);
        Assert.Equal("victim", System.IO.File.ReadAllText(Victim));
        Assert.Equal(before, Directory.GetFileSystemEntries(_directory).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_file_that_this_process_did_not_write_is_not_deleted()
    {
        System.IO.File.WriteAllText(File, "theirs");
        new ReloadStatusFile(_directory).Delete();
        Assert.Equal("theirs", System.IO.File.ReadAllText(File));
    }

    [Fact]
    public void A_write_that_fails_leaves_no_file_behind()
    {
        Directory.CreateDirectory(File);
        Assert.False(new ReloadStatusFile(_directory).TryWrite(_result, null, out _));
        Assert.Equal([File], Directory.GetFileSystemEntries(_directory));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private ulong ProcessStart()
    {
        ReloadStatusFile statusFile = new(_directory);
        Assert.True(statusFile.TryWrite(_result, null, out _));
        ulong start = ReloadStatusFile.TryRead(File)!.ProcessStart;
        statusFile.Delete();
        return start;
    }
}
