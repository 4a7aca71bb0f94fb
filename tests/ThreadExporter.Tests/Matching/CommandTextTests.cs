using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using ThreadExporter.Configuration;
using ThreadExporter.Matching;
using ThreadExporter.Procfs;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Matching;

public sealed class CommandTextTests
{
    // Cut inside the class path.
    private static readonly CommandLineBytes Cut = new("java\0-Dname=a\0-cp\0/lib/one.jar:/li"u8.ToArray(), "b/nine.jar\0com.example.Main\0--id\0007 \0\0"u8.ToArray());

    [Theory]
    [InlineData("^java ", "java ")]
    [InlineData("^java .*", "java -Dname=a -cp /lib/one.jar:/li")]
    [InlineData("com\\.example\\.Main", "com.example.Main")]
    [InlineData("-cp (\\S+)", "-cp /lib/one.jar:/li")]
    [InlineData("--id (\\S+)$", "--id 007")]
    [InlineData("Main .*", "Main --id 007")]
    [InlineData("a -cp", "a -cp")]
    // Across the gap: no match, or one after the gap.
    [InlineData("/li.b/", null)]
    [InlineData("/li\\sb/", null)]
    [InlineData("/li[^x]*b/", null)]
    [InlineData("java[^;]*Main", null)]
    [InlineData("(?s)java.*Main", null)]
    [InlineData("-cp\\s+\\S+\\s+(\\S+)", null)]
    [InlineData("[^;]*", "b/nine.jar com.example.Main --id 007")]
    // The end of the head and the start of the tail are not ends of the command line.
    [InlineData("/li$", null)]
    [InlineData("^b/nine", null)]
    [InlineData("\\Ab/nine", null)]
    public void No_match_spans_the_gap(string regex, string? expected)
    {
        CommandText text = new(Cut);
        Regex compiled = new(regex, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        Assert.Equal(expected is not null, text.IsMatch(compiled));
        Assert.Equal(expected ?? "", text.Match(compiled).Value);
    }

    [Fact]
    public void One_that_was_not_cut_is_matched_unchanged()
    {
        CommandText text = new(new CommandLineBytes("a\nb\0c  \0"u8.ToArray(), []));
        Assert.True(text.IsMatch(new Regex("a\nb c$")));
        Assert.Equal("a\nb c", text.Match(new Regex("[^;]*")).Value);
    }

    [Fact]
    public void A_title_padded_with_spaces_ends_where_its_text_ends()
    {
        using FakeProcess process = new(comm: "srv", cmdline: "srv: worker        ");
        Matcher matcher = Matcher.Compile([new FilterConfig { Name = "r", Cmdline = new Regex("worker$"), Daemon = new Regex("^srv: (.*)") }]);
        CompiledFilter filter = Assert.IsType<CompiledFilter>(matcher.Match(process.Info, FilterSet.Empty).Filter);
        Assert.Equal(("worker", false), DaemonName.Resolve(filter, process.Info));
    }

    [Fact]
    public void A_cut_is_logged_once_per_filter_that_uses_the_command_line()
    {
        using FakeProcess first = new(12, comm: "java", cmdline: "java") { CommandLineTail = "Main"u8.ToArray() };
        using FakeProcess second = new(13, comm: "java", cmdline: "java") { CommandLineTail = "Main"u8.ToArray() };
        Matcher matcher = Matcher.Compile(
        [
            new FilterConfig { Name = "other", Cmdline = new Regex("Other$") },
            new FilterConfig { Name = "main", Cmdline = new Regex("Main$") },
            new FilterConfig { Name = "name", Comm = ["java"] },
        ]);
        Assert.Equal("main", matcher.Match(first.Info, FilterSet.Empty).Filter?.Name);
        Assert.Equal("main", matcher.Match(second.Info, FilterSet.Empty).Filter?.Name);
        Assert.Equal(
            [.. new[] { "other", "main" }.Select(f => $"filter \"{f}\": the command line of pid 12 is longer than 64 KiB: only the first and last 32 KiB are used (logged once per filter)")],
            matcher.TakeWarnings());
    }

    [Fact]
    public void The_end_of_a_long_command_line_is_found_and_the_cut_is_logged_once()
    {
        using FixtureProc proc = new();
        foreach (int pid in (int[])[10, 11])
        {
            proc.Process(pid, "java");
            proc.Write($"{pid}/cmdline", Encoding.ASCII.GetBytes($"java\0-cp\0{new string('x', 200_000)}\0com.example.Main\0--id=a{pid}\0"));
            proc.Thread(pid, pid, "java"u8);
        }
        FilterConfig filter = new() { Name = "j", Comm = ["java"], Daemon = new Regex("Main --id=(\\S+)$") };
        using LiveCollector live = new(LiveCollector.Config(filter), proc.Root);
        for (int i = 0; i < 2; i++)
        {
            live.Collector.Collect(live.Snapshot);
            Assert.Equal(["a10", "a11"], live.Collector.Processes.Select(p => Encoding.UTF8.GetString(p.Daemon)));
        }
        // The order of a directory of plain files is undefined.
        Assert.Matches("^filter \"j\": the command line of pid 1[01] is longer than 64 KiB: only the first and last 32 KiB are used \\(logged once per filter\\)$",
            Assert.Single(live.Collector.TakeWarnings()));
    }

    [Fact]
    public void The_end_of_a_long_command_line_of_a_real_process_is_found()
    {
        string[] arguments = ["-c", "read line", new string('x', 100_000), new string('y', 100_000), "com.example.Main", ""];
        using Process process = Process.Start(new ProcessStartInfo("/bin/sh", arguments) { RedirectStandardInput = true })!;
        using LiveCollector live = new(LiveCollector.Config(new FilterConfig { Name = "m", Pid = [process.Id], Cmdline = new Regex("^/bin/sh -c read line"), Daemon = new Regex("y (\\S+Main)$") }));
        Eventually.True(() => live.Collect(process.Id) is { } p && Encoding.UTF8.GetString(p.Daemon) == "com.example.Main", "the end is found");
        process.Kill();
        process.WaitForExit();
    }
}
