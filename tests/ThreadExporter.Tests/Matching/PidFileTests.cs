using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;
using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Matching;
using ThreadExporter.Web.Pages;

namespace ThreadExporter.Tests.Matching;

public sealed class PidFileTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("thread-exporter-test-");
    private readonly FakeTimeProvider _time = new();

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
    public void Follows_changes_of_the_file()
    {
        Matcher matcher = Matcher.Compile([new FilterConfig { Name = "r", PidFile = FilePath }], time: _time);
        using FakeProcess first = new(10);
        using FakeProcess second = new(11);
        bool Matches(FakeProcess process) => matcher.Match(process.NewInfo(), FilterSet.Empty).Filter is not null;

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
        // A missing file means that the daemon is not running.
        Assert.Empty(matcher.TakeWarnings());
    }

    [Fact]
    public void A_FIFO_does_not_block_it()
    {
        using Process mkfifo = Process.Start("mkfifo", FilePath);
        mkfifo.WaitForExit();
        Assert.Equal(0, mkfifo.ExitCode);
        PidFile pidFile = new(FilePath, _time);
        Assert.Equal(0, pidFile.Read());
        Assert.Equal(ReadStatus.Other, pidFile.Status);
    }

    [Fact]
    public void An_endless_file_is_read_in_part()
    {
        PidFile pidFile = new("/dev/zero", _time);
        Assert.Equal(0, pidFile.Read());
        Assert.Equal(ReadStatus.Ok, pidFile.Status);
    }

    [Fact]
    public void A_path_too_long_for_the_reader_is_a_warning()
    {
        PidFile pidFile = new("/" + new string('x', 300), _time);
        Assert.Equal(0, pidFile.Read());
        Assert.Equal(ReadStatus.Other, pidFile.Status);
    }

    /// <summary>
    /// Seconds after a boot at noon: when the file was written, when the process started, and how far the clock was set after the file was written.
    /// </summary>
    [Theory]
    [InlineData(1000, 999, 0, false)]
    [InlineData(1000, 1000, 0, false)]
    [InlineData(1000, 1059, 0, false)] // slack
    [InlineData(1000, 1061, 0, true)]
    [InlineData(1000, 90_000, 0, true)]
    [InlineData(-500, 3, 0, true)] // from before the boot
    [InlineData(-30, 3, 0, false)]
    [InlineData(1000, 999, 7200, false)] // the virtual machine was paused, or NTP set the clock after boot
    [InlineData(1000, 90_000, 7200, true)]
    [InlineData(1000, 999, -7200, false)]
    [InlineData(1000, 5000, -7200, false)] // in doubt
    public void A_process_that_started_after_the_file_was_written_does_not_match(int written, int started, int clockSet, bool older)
    {
        DateTime boot = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);
        long bootTime = (boot - DateTime.UnixEpoch).Ticks * 100;
        File.WriteAllText(FilePath, "10\n");
        File.SetLastWriteTimeUtc(FilePath, boot.AddSeconds(written));
        // The earliest known boot time does not change when the clock is set forward.
        PidFile pidFile = new(FilePath, _time, () => bootTime + (Math.Min(0, clockSet) * 1_000_000_000L));
        Assert.Equal(10, pidFile.Read());
        Assert.Equal(older, pidFile.IsOlderThan((ulong)(started * Clocks.TicksPerSecond)));
        Assert.Equal(older, pidFile.IsStale);
    }

    [Fact]
    public void A_time_from_before_any_clock_was_set_is_ignored()
    {
        File.WriteAllText(FilePath, "10\n");
        File.SetLastWriteTimeUtc(FilePath, DateTime.UnixEpoch.AddHours(1));
        PidFile pidFile = new(FilePath, _time, () => 1_700_000_000_000_000_000);
        Assert.Equal(10, pidFile.Read());
        Assert.False(pidFile.IsOlderThan(100_000));
    }

    [Fact]
    public void A_stale_file_matches_nothing_with_a_warning_until_it_is_written_again()
    {
        Matcher matcher = Matcher.Compile([new FilterConfig { Name = "r", PidFile = FilePath }], time: _time);
        CompiledFilter filter = matcher.Filters[0];
        using FakeProcess process = new(10);
        bool Matches()
        {
            _time.Advance(PidFile.Freshness);
            return matcher.Match(process.NewInfo(), FilterSet.Empty).Filter is not null;
        }

        File.WriteAllText(FilePath, "10\n");
        Assert.True(Matches());
        Assert.False(filter.PidFileIsStale);
        File.SetLastWriteTimeUtc(FilePath, DateTime.UtcNow.AddYears(-5));
        Assert.False(Matches());
        Assert.False(Matches());
        Assert.Equal([$"filter \"r\": pid 10 started after pidfile {FilePath} was written: it is a different process and does not match"], matcher.TakeWarnings());
        Assert.Equal("The process with the pid in the pidfile started after the file was written, so it is a different process and does not match.",
            Assert.Single(FilterHints.Of(filter, matcher.Users, empty: true, earlierOwns: false)));
        // As long as that process is running.
        matcher.EndPass(pid => pid == 10);
        Assert.True(filter.PidFileIsStale);
        matcher.EndPass(_ => false);
        Assert.False(filter.PidFileIsStale);

        // Another pid, about which nothing is known yet.
        File.WriteAllText(FilePath, "11\n");
        Assert.False(Matches());
        Assert.False(filter.PidFileIsStale);
        Assert.Equal("The pidfile names a process that is not running, is excluded by other keys of the filter, or is owned by an earlier filter.", Assert.Single(FilterHints.Of(filter, matcher.Users, empty: true, earlierOwns: false)));
        // Touched, or written again: in doubt it matches.
        File.WriteAllText(FilePath, "10\n");
        Assert.True(Matches());
        Assert.False(filter.PidFileIsStale);
        Assert.Empty(matcher.TakeWarnings());
    }
}
