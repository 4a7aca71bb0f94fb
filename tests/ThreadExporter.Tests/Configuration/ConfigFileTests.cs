using System.Diagnostics;
using ThreadExporter.Configuration;

namespace ThreadExporter.Tests.Configuration;

public sealed class ConfigFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("te-config-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string At(string name) => Path.Combine(_folder, name);

    private static string OnlyError(string path)
    {
        ConfigResult result = ConfigLoader.Load(path, new ConfigOverrides());
        Assert.Null(result.Config);
        return Assert.Single(result.Errors).ToString();
    }

    [Fact]
    public void A_file_with_any_name_is_read()
    {
        File.WriteAllText(At("é x.toml"), "[web]\nmax_requests = 3\n");
        ConfigResult result = ConfigLoader.Load(At("é x.toml"), new ConfigOverrides());
        Assert.Empty(result.Errors);
        Assert.Equal(3, result.Config!.Web.MaxRequests);
    }

    [Fact]
    public void A_missing_file() => Assert.Equal(At("none.toml") + ": no such file", OnlyError(At("none.toml")));

    [Fact]
    public void A_file_below_a_file()
    {
        File.WriteAllText(At("a"), "");
        Assert.Equal(At("a/b.toml") + ": no such file", OnlyError(At("a/b.toml")));
    }

    [Fact]
    public void A_directory() => Assert.Equal(_folder + ": is a directory", OnlyError(_folder));

    [Fact]
    public void A_FIFO_without_a_writer_does_not_block()
    {
        using Process mkfifo = Process.Start("mkfifo", [At("fifo")]);
        mkfifo.WaitForExit();
        Assert.Equal(0, mkfifo.ExitCode);
        Assert.Equal(At("fifo") + ": is not a regular file", OnlyError(At("fifo")));
    }

    [Fact]
    public void An_endless_device() => Assert.Equal("/dev/zero: is not a regular file", OnlyError("/dev/zero"));

    [Fact]
    public void A_huge_sparse_file_is_not_read_into_memory()
    {
        using (FileStream file = File.Create(At("huge.toml")))
            file.SetLength(1L << 30);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(At("huge.toml") + ": the file is longer than 1048576 bytes", OnlyError(At("huge.toml")));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4L << 20);
    }

    [Fact]
    public void A_file_of_exactly_a_mebibyte_is_read()
    {
        File.WriteAllText(At("full.toml"), new string('\n', 1 << 20));
        Assert.Empty(ConfigLoader.Load(At("full.toml"), new ConfigOverrides()).Errors);
    }

    [Fact]
    public void A_file_without_read_permission()
    {
        File.WriteAllText(At("secret.toml"), "");
        File.SetUnixFileMode(At("secret.toml"), UnixFileMode.None);
        string error = "";
        Libc.AsNobody(() => error = OnlyError(At("secret.toml")));
        Assert.Equal(At("secret.toml") + ": permission denied", error);
    }

    [Fact]
    public void A_path_longer_than_the_reader_accepts()
    {
        string path = At(new string('x', 300));
        Assert.Equal(path + ": the path is longer than 255 bytes", OnlyError(path));
    }

    [Fact]
    public void Errors_name_the_file_as_it_was_given()
    {
        File.WriteAllText(At("bad.toml"), "a = 1\n");
        string given = Path.GetRelativePath(Environment.CurrentDirectory, At("bad.toml"));
        Assert.Equal(given + ":1:1: unknown key a", OnlyError(given));
    }
}
