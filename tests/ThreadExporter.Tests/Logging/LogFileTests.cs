using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using ThreadExporter.Configuration;
using ThreadExporter.Logging;

namespace ThreadExporter.Tests.Logging;

public sealed class LogFileTests : IDisposable
{
    private const int RecordLength = 100;

    private readonly string _directory = Directory.CreateTempSubdirectory("log-").FullName;
    private readonly StringWriter _output = new();
    private readonly FakeTimeProvider _clock = new();

    private string LogFile => Path.Combine(_directory, "exporter.log");

    [Fact]
    public void Records_go_to_the_file_and_to_standard_output()
    {
        using LogSetup log = Create();
        log.Factory.CreateLogger("X").LogInformation("größer\nzwei");
        Assert.EndsWith(" info  X größer\n    zwei\n", File.ReadAllText(LogFile), StringComparison.Ordinal);
        Assert.Equal(_output.ToString(), File.ReadAllText(LogFile));
        Assert.True(log.FileWritable);
    }

    [Fact]
    public void A_new_file_and_those_after_rotation_are_not_for_the_world_to_read()
    {
        using LogSetup log = Create(maxSize: 1000);
        Write(log, 0, 15);
        Assert.Equal(["exporter.1.log", "exporter.log"], Names());
        Assert.All(Names(), name => Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(Path.Combine(_directory, name))));
    }

    [Fact]
    public void The_format_is_that_of_the_config()
    {
        using LogSetup log = Create(format: LogFormat.Json);
        log.Factory.CreateLogger("X").LogInformation("one");
        Assert.EndsWith("\"level\":\"info\",\"logger\":\"X\",\"message\":\"one\"}\n", File.ReadAllText(LogFile), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 25, new[] { "exporter.log" })]
    [InlineData(1, 25, new[] { "exporter.1.log", "exporter.log" })]
    [InlineData(3, 25, new[] { "exporter.2.log", "exporter.1.log", "exporter.log" })]
    [InlineData(3, 95, new[] { "exporter.3.log", "exporter.2.log", "exporter.1.log", "exporter.log" })]
    [InlineData(12, 125, new[] { "exporter.12.log", "exporter.11.log", "exporter.10.log", "exporter.9.log", "exporter.8.log", "exporter.7.log", "exporter.6.log",
        "exporter.5.log", "exporter.4.log", "exporter.3.log", "exporter.2.log", "exporter.1.log", "exporter.log" })]
    public void Size_and_number_of_files_stay_within_their_limits(int keep, int records, string[] names)
    {
        using LogSetup log = Create(maxSize: 1000, keep: keep);
        for (int i = 0; i < records; i++)
        {
            Write(log, i, 1);
            Assert.True(Names().Length <= keep + 1);
            Assert.All(Names(), name => Assert.InRange(new FileInfo(Path.Combine(_directory, name)).Length, 1, 1000));
        }
        Assert.Equal(names.Order(), Names().Order());
        // The newest records without a gap, across the files in order.
        string all = string.Concat(names.Select(name => File.ReadAllText(Path.Combine(_directory, name))));
        int first = records - (all.Length / RecordLength);
        Assert.Equal(Enumerable.Range(first, records - first), all.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(NumberOf));
        Assert.True(log.FileWritable);
    }

    [Fact]
    public void A_file_passes_the_limit_by_less_than_one_record()
    {
        using LogSetup log = Create(maxSize: 950, keep: 9);
        Write(log, 0, 45);
        Assert.Equal([1000, 1000, 1000, 1000, 500], Names().Select(name => new FileInfo(Path.Combine(_directory, name)).Length));
    }

    [Fact]
    public void A_second_run_appends_and_rotates_on_from_where_the_first_was()
    {
        using (LogSetup log = Create(maxSize: 1000, keep: 2))
            Write(log, 0, 20);
        using (LogSetup log = Create(maxSize: 1000, keep: 2))
            Write(log, 20, 15);
        Assert.Equal(["exporter.1.log", "exporter.2.log", "exporter.log"], Names());
        Assert.Equal([10, 20, 30], ((string[])["exporter.2.log", "exporter.1.log", "exporter.log"]).Select(name => NumberOf(File.ReadLines(Path.Combine(_directory, name)).First())));
        Assert.Equal(5, File.ReadAllLines(LogFile).Length);
        Assert.DoesNotContain("Cannot write", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_already_above_the_limit_is_rotated_at_the_first_record()
    {
        File.WriteAllText(LogFile, new string('x', 4999) + "\n");
        using LogSetup log = Create(maxSize: 1000);
        Write(log, 0, 1);
        Assert.Equal(RecordLength, new FileInfo(LogFile).Length);
        Assert.True(log.FileWritable);
    }

    [Fact]
    public void Unrelated_files_are_not_touched()
    {
        string[] others = ["exporter.20261101.log", "exporter.20261102.log", "exporter.01.log", "exporter.2.log", "exporter.notes.log", "exporter2.log", "exporter.1x.log", "exporter.log.1", "other.1.log"];
        foreach (string other in others)
            File.WriteAllText(Path.Combine(_directory, other), "mine");
        using LogSetup log = Create(maxSize: 1000, keep: 1);
        Write(log, 0, 50);
        Assert.Equal([.. others.Append("exporter.log").Append("exporter.1.log").Order(StringComparer.Ordinal)], Names());
    }

    [Fact]
    public void A_file_moved_away_by_another_rotation_is_created_again()
    {
        using LogSetup log = Create();
        Write(log, 0, 1);
        File.Move(LogFile, LogFile + ".1");
        Write(log, 1, 1);
        Assert.Equal([1], File.ReadAllLines(LogFile).Select(NumberOf));
    }

    [Fact]
    public void A_name_that_NLog_would_interpret_is_taken_as_it_is()
    {
        string file = Path.Combine(_directory, "a${gc}{0}{#}b.log");
        using LogSetup log = LogSetup.Create(Config(file), stderrIsJournal: false, output: _output, time: _clock);
        log.Factory.CreateLogger("X").LogInformation("one");
        Assert.True(File.Exists(file));
    }

    [Fact]
    public void A_relative_name_is_relative_to_the_working_directory()
    {
        string relative = Path.GetRelativePath(Environment.CurrentDirectory, LogFile);
        using LogSetup log = LogSetup.Create(Config(relative), stderrIsJournal: false, output: _output, time: _clock);
        Assert.True(File.Exists(LogFile));
    }

    [Fact]
    public void A_partial_record_left_by_a_crash_is_ended_before_the_next()
    {
        File.WriteAllText(LogFile, "2026-11-23T09:15:00.123Z info  X hal");
        using LogSetup log = Create();
        log.Factory.CreateLogger("X").LogInformation("one");
        log.Factory.CreateLogger("X").LogInformation("two");
        string[] lines = File.ReadAllLines(LogFile);
        Assert.Equal("2026-11-23T09:15:00.123Z info  X hal", lines[0]);
        Assert.EndsWith(" X one", lines[1], StringComparison.Ordinal);
        Assert.EndsWith(" X two", lines[2], StringComparison.Ordinal);
        Assert.Equal(3, lines.Length);
    }

    public void Dispose()
    {
        _output.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static int NumberOf(string line) => int.Parse(line.Split(' ')[4], CultureInfo.InvariantCulture);

    private LogSetup Create(long maxSize = 1_000_000, int keep = 5, LogFormat format = LogFormat.Text) =>
        LogSetup.Create(Config(LogFile) with { FileMaxSize = maxSize, FileKeep = keep, Format = format }, stderrIsJournal: false, output: _output, time: _clock);

    private static LogConfig Config(string file) => new() { File = file };

    /// <summary>Records of exactly <see cref="RecordLength"/> bytes with their number as the message's first word.</summary>
    private static void Write(LogSetup log, int first, int count)
    {
        ILogger logger = log.Factory.CreateLogger("X");
        for (int i = first; i < first + count; i++)
            logger.LogInformation("{Number} {Padding}", i, new string('x', RecordLength - 35 - i.ToString(CultureInfo.InvariantCulture).Length));
    }

    private string[] Names() => [.. Directory.EnumerateFileSystemEntries(_directory).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];
}
