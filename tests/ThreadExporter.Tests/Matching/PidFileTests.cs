using System.Diagnostics;
using ThreadExporter.Configuration;
using ThreadExporter.Matching;
using ThreadExporter.Procfs;

namespace ThreadExporter.Tests.Matching;

public sealed class PidFileTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("thread-exporter-test-");
    private readonly ManualTime _time = new();

    private string FilePath => Path.Combine(_directory.FullName, "daemon.pid");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("123\n", 123)]
    [InlineData("123", 123)]
    [InlineData("  123 \n", 123)]
    [InlineData("123\n/var/lib/postgresql\n5432\n", 123)]
    [InlineData("2147483647\n", int.MaxValue)]
    [InlineData("99999999999\n", 0)]
    [InlineData("-5\n", 0)]
    [InlineData("0\n", 0)]
    [InlineData("\n123\n", 0)]
    [InlineData("abc\n", 0)]
    [InlineData("", 0)]
    public void Content(string text, int pid)
    {
        File.WriteAllText(FilePath, text);
        Assert.Equal(pid, new PidFile(FilePath, _time).Read());
    }

    [Fact]
    public void Follows_the_file_through_its_life()
    {
        var matcher = Matcher.Compile([new FilterConfig { Name = "r", PidFile = FilePath }], time: _time);
        using var first = new FakeProcess(10);
        using var second = new FakeProcess(11);
        bool Matches(FakeProcess process) => matcher.Match(process.NewFacts(), RuleSet.Empty).Rule is not null;

        Assert.False(Matches(first));
        _time.Advance(PidFile.Freshness);
        File.WriteAllText(FilePath, "10\n");
        Assert.True(Matches(first));
        Assert.False(Matches(second));
        // Same length, maybe the same mtime.
        File.WriteAllText(FilePath, "11\n");
        Assert.True(Matches(first));
        _time.Advance(PidFile.Freshness);
        Assert.False(Matches(first));
        Assert.True(Matches(second));
        File.Delete(FilePath);
        _time.Advance(PidFile.Freshness);
        Assert.False(Matches(second));
        // A missing file is a daemon that does not run.
        Assert.Empty(matcher.TakeWarnings());
    }

    [Fact]
    public void A_FIFO_does_not_hold_it()
    {
        using var mkfifo = Process.Start("mkfifo", FilePath);
        mkfifo.WaitForExit();
        Assert.Equal(0, mkfifo.ExitCode);
        var pidFile = new PidFile(FilePath, _time);
        Assert.Equal(0, pidFile.Read());
        Assert.Equal(ReadStatus.Other, pidFile.Status);
    }

    [Fact]
    public void An_endless_file_is_read_in_part()
    {
        var pidFile = new PidFile("/dev/zero", _time);
        Assert.Equal(0, pidFile.Read());
        Assert.Equal(ReadStatus.Ok, pidFile.Status);
    }

    [Fact]
    public void A_path_too_long_for_the_reader_is_a_warning_and_no_crash()
    {
        var pidFile = new PidFile("/" + new string('x', 300), _time);
        Assert.Equal(0, pidFile.Read());
        Assert.Equal(ReadStatus.Other, pidFile.Status);
    }
}
