using System.Diagnostics;
using System.Globalization;
using ThreadExporter.Logging;

namespace ThreadExporter.Tests.Logging;

/// <summary>Rotation touches only its own names, and a failed rotation loses nothing.</summary>
public sealed class LogRotationTests : IDisposable
{
    private const int MaxSize = 10;

    private readonly string _directory = Directory.CreateTempSubdirectory("log-").FullName;

    private string LogFile => Path.Combine(_directory, "exporter.log");

    [Fact]
    public void No_other_file_is_touched_whatever_its_name()
    {
        string[] others =
        [
            "exporter.20261101.log", "exporter.20261102.log", "exporter.20261103.log", "exporter.20261104.log",
            "exporter.20261105.log", "exporter.20261106.log", "exporter.20261107.log", "exporter.20261108.log",
            "exporter.01.log", "exporter.1.log.gz", "exporter.+1.log", "exporter.-1.log", "exporter.0.log", "exporter.6.log", "exporter.99.log",
            "exporter. 1.log", "exporter.1 .log", "exporter.1.2.log", "exporter..log", "exporter.log.1", "exporter.1", "exporter.1.LOG", "Exporter.1.log",
            "exporter.\uFF11.log", "exporter1.log", "exporter-1.log", "exporter.1x.log", "exporter.notes.log", "exporter2.log", "other.log", "other.1.log",
        ];
        foreach (string other in others)
            File.WriteAllText(Path.Combine(_directory, other), other);
        Directory.CreateDirectory(Path.Combine(_directory, "exporter.7.log"));
        File.CreateSymbolicLink(Path.Combine(_directory, "exporter.8.log"), "other.log");
        LogRotation rotation = new(LogFile, MaxSize, 5);
        for (int i = 0; i < 30; i++)
        {
            Fill(i);
            rotation.RotateIfFull();
        }
        Assert.All(others, other => Assert.Equal(other, File.ReadAllText(Path.Combine(_directory, other))));
        string[] own = [.. Enumerable.Range(1, 5).Select(n => $"exporter.{n}.log")];
        Assert.Equal([.. others.Concat(own).Concat(["exporter.7.log", "exporter.8.log"]).Order(StringComparer.Ordinal)], Names());
        Assert.Equal([29, 28, 27, 26, 25], own.Select(Number));
    }

    [Fact]
    public void When_fewer_files_are_kept_than_before_the_others_stay()
    {
        for (int i = 1; i <= 5; i++)
            File.WriteAllText(Rotated(i), $"{-i}");
        Fill(1);
        new LogRotation(LogFile, MaxSize, 2).RotateIfFull();
        Assert.Equal([1, -1, -3, -4, -5], Enumerable.Range(1, 5).Select(n => Number(Rotated(n))));
    }

    [Theory]
    [InlineData("a directory")]
    [InlineData("a symbolic link")]
    [InlineData("not a regular file")]
    [InlineData("another user")]
    public void An_entry_not_made_by_rotation_is_not_touched(string what)
    {
        string victim = Path.Combine(_directory, "victim");
        File.WriteAllText(victim, "victim");
        File.WriteAllText(Rotated(1), "-1");
        switch (what)
        {
            case "a directory":
                Directory.CreateDirectory(Rotated(2));
                break;
            case "a symbolic link":
                File.CreateSymbolicLink(Rotated(2), victim);
                break;
            case "not a regular file":
                Libc.MakeFifo(Rotated(2));
                break;
            default:
                Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can make a file of another user");
                File.WriteAllText(Rotated(2), "theirs");
                Assert.Equal(0, Run("chown", "65534", Rotated(2)));
                break;
        }
        Fill(1);
        string[] before = Names();
        LogRotation rotation = new(LogFile, MaxSize, 2);
        for (int i = 0; i < 3; i++)
        {
            string message = Assert.Throws<IOException>(rotation.RotateIfFull).Message;
            Assert.StartsWith("it is full and cannot be rotated: exporter.2.log ", message, StringComparison.Ordinal);
            Assert.EndsWith(what, message, StringComparison.Ordinal);
        }
        Assert.Equal(before, Names());
        Assert.Equal("victim", File.ReadAllText(victim));
        Assert.Equal(1, Number("exporter.log"));
        Assert.Equal(-1, Number(Rotated(1)));

        Assert.Equal(0, Run("mv", Rotated(2), victim + "2"));
        rotation.RotateIfFull();
        Assert.Equal([1, -1], ((string[])[Rotated(1), Rotated(2)]).Select(Number));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void A_log_file_that_is_a_link_is_written_but_neither_moved_nor_deleted(int keep)
    {
        string target = Path.Combine(_directory, "elsewhere");
        File.WriteAllText(target, "0123456789");
        File.CreateSymbolicLink(LogFile, target);
        IOException error = Assert.Throws<IOException>(new LogRotation(LogFile, MaxSize, keep).RotateIfFull);
        Assert.Equal("it is full and cannot be rotated: exporter.log is a symbolic link", error.Message);
        Assert.Equal(["elsewhere", "exporter.log"], Names());
        Assert.Equal("0123456789", File.ReadAllText(LogFile));
    }

    [Fact]
    public void A_gap_is_filled_before_anything_old_is_replaced()
    {
        Fill(1);
        File.WriteAllText(Rotated(1), "-1");
        File.WriteAllText(Rotated(3), "-3");
        new LogRotation(LogFile, MaxSize, 3).RotateIfFull();
        Assert.Equal([1, -1, -3], Enumerable.Range(1, 3).Select(n => Number(Rotated(n))));
    }

    [Fact]
    public void Rotations_that_fail_half_way_lose_the_oldest_file_at_most()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "a file that cannot be renamed needs a mount, and that needs root");
        for (int i = 1; i <= 3; i++)
            File.WriteAllText(Rotated(i), $"{-i}");
        string mounted = Path.Combine(_directory, "mounted");
        File.WriteAllText(mounted, "0123456789");
        File.WriteAllText(LogFile, "");
        Assert.SkipUnless(Run("mount", "--bind", mounted, LogFile) == 0, "mounts are not possible here");
        try
        {
            for (int i = 0; i < 5; i++)
            {
                IOException error = Assert.Throws<IOException>(new LogRotation(LogFile, MaxSize, 3).RotateIfFull);
                Assert.Equal("it is full and cannot be rotated: Device or resource busy", error.Message);
            }
            Assert.Equal([-1, -2], ((string[])[Rotated(2), Rotated(3)]).Select(Number));
            Assert.Equal("0123456789", File.ReadAllText(LogFile));
            // A move that falls back to copying would have left one each time.
            Assert.False(File.Exists(Rotated(1)));
        }
        finally
        {
            Assert.Equal(0, Run("umount", LogFile));
        }
    }

    [Fact]
    public void Two_writers_of_the_same_file_rotate_it_in_turn()
    {
        LogRotation[] both = [new(LogFile, MaxSize, 100), new(LogFile, MaxSize, 100)];
        for (int i = 0; i < 40; i++)
        {
            Fill(i);
            Parallel.ForEach(both, rotation => rotation.RotateIfFull());
            Assert.False(File.Exists(LogFile));
        }
        // When both shift the same files a gap may remain. Nothing is lost and the order is chronological.
        Assert.Equal(Enumerable.Range(0, 40).Reverse(), Enumerable.Range(1, 100).Select(Rotated).Where(File.Exists).Select(Number));
    }

    [Theory]
    [InlineData("exporter", "exporter.1")]
    [InlineData("a.b.log", "a.b.1.log")]
    [InlineData(".log", ".1.log")]
    [InlineData("a{0}${gc}*?.log", "a{0}${gc}*?.1.log")]
    public void The_number_is_before_the_last_extension(string name, string rotated)
    {
        string path = Path.Combine(_directory, name);
        File.WriteAllText(path, "0123456789");
        new LogRotation(path, MaxSize, 1).RotateIfFull();
        Assert.Equal([rotated], Names());
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private string Rotated(int number) => Path.Combine(_directory, $"exporter.{number}.log");

    private void Fill(int number) => File.WriteAllText(LogFile, number.ToString(CultureInfo.InvariantCulture).PadRight(MaxSize));

    private int Number(string name) => int.Parse(File.ReadAllText(Path.Combine(_directory, name)), CultureInfo.InvariantCulture);

    private string[] Names() => [.. Directory.EnumerateFileSystemEntries(_directory).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

    private static int Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
