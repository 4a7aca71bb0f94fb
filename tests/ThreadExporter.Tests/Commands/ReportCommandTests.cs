using System.Text;
using ThreadExporter.Client;
using ThreadExporter.Commands;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Commands;

/// <summary><c>report</c>: the request, the text, and what can go wrong.</summary>
public class ReportCommandTests
{
    private const string Answer = """
        {"from":"2026-11-26T01:00:00Z","to":"2026-11-26T02:00:00.5Z","recorded_seconds":3595.5,
        "cpu":[{"process":"ceph-osd","pid":4711,"daemon":"osd.3","filter":"ceph","name":"tp_osd_tp","tid":4742,"cpu_seconds":3100.25,"share":0.8622,"peak_share":1,"peak_at":"2026-11-26T01:13:05Z","wait_seconds":12.5},
        {"process":"mariadbd","pid":5001,"daemon":"mariadbd","filter":"db","name":"connection","tid":5011,"cpu_seconds":0.4,"share":0.0001,"peak_share":0.08,"peak_at":null,"wait_seconds":null}],
        "wait":[{"process":"mariadbd","pid":5001,"daemon":"mariadbd","filter":"db","name":"conn\u202ection \u001b[2J","tid":5012,"cpu_seconds":100,"share":0.03,"peak_share":0.5,"peak_at":"2026-11-26T01:30:00Z","wait_seconds":1800}],
        "saturated":[{"process":"ceph-osd","pid":4711,"name":"tp_osd_tp","tid":4742,"from":"2026-11-26T01:13:00Z","to":"2026-11-26T01:28:00Z","seconds":900,"share":0.97}],
        "throttled":[{"process":"mariadbd","pid":5001,"name":null,"from":"2026-11-26T01:30:00Z","to":"2026-11-26T01:31:00Z","reason":"the limit of /system.slice/mariadb.service is 0.5 cores, throttled in 71 % of periods"}]}
        """;

    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

    [Fact]
    public void The_text_is_the_golden_file()
    {
        string[] lines = Lines(Answer);
        Assert.All(lines, line => Assert.InRange(line.Length, 0, 100));
        string path = Repository.File("tests/ThreadExporter.Tests/Commands/Golden/report.txt");
        string text = string.Concat(lines.Select(l => l + "\n"));
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, text, new UTF8Encoding(false));
        Assert.Equal(File.ReadAllText(path), text);
    }

    [Fact]
    public void What_is_missing_is_not_invented() =>
        Assert.Equal(
            ["Threads from 2026-11-26 02:00:00 +01:00 to 2026-11-26 03:00:00 +01:00, 0.0 s recorded", "", "Most CPU time: none", "", "Longest wait for a CPU: none", "",
                "Saturated: a whole core, without a pause: no thread", "", "Throttled: the CPU limit of a cgroup was used up: nothing"],
            Lines("""{"from":"2026-11-26T01:00:00Z","to":"2026-11-26T02:00:00Z","cpu":[],"saturated":null}"""));

    [Fact]
    public void Over_midnight_each_time_has_its_day()
    {
        string text = string.Join('\n', Lines(Answer.Replace("\"from\":\"2026-11-26T01:00:00Z\"", "\"from\":\"2026-11-25T01:00:00Z\"", StringComparison.Ordinal)));
        Assert.Contains(" 11-26 02:13:05 ", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_asks_the_daemon_and_prints_a_text()
    {
        await using ApiStub stub = await ApiStub.StartAsync(200, Answer);
        (int code, string output, string error) = await RunAsync(stub, "--from", "2026-11-26T02:00:00+01:00", "--to", "2026-11-26T03:00:00.5+01:00", "-n", "7");
        Assert.Equal((0, ""), (code, error));
        Assert.Equal("/api/v1/report?from=2026-11-26T01:00:00.000Z&to=2026-11-26T02:00:00.500Z&n=7", Assert.Single(stub.Requests));
        Assert.StartsWith("Threads from 2026-11-26 0", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task As_json_it_is_what_the_daemon_answers()
    {
        await using ApiStub stub = await ApiStub.StartAsync(200, Answer);
        (int code, string output, _) = await RunAsync(stub, "--from", "2026-11-26T02:00:00+01:00", "--format", "json");
        Assert.Equal((0, Answer), (code, output));
        Assert.EndsWith("&n=20", Assert.Single(stub.Requests), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(200, "{}", "does not answer as thread-exporter does: is this the right port?")]
    [InlineData(404, "", "does not have this API: web.pages is off there, or the daemon is older than this command")]
    [InlineData(404, "{\"error\":\"nothing is recorded: the recorder is off\",\"recorded\":null}", "thread-exporter: nothing is recorded: the recorder is off\n")]
    public async Task An_error_is_one_line_and_exit_code_1(int status, string body, string expected)
    {
        await using ApiStub stub = await ApiStub.StartAsync(status, body);
        (int code, string output, string error) = await RunAsync(stub, "--from", "2026-11-26T02:00:00+01:00");
        Assert.Equal((1, ""), (code, output));
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Equal('\n', Assert.Single(error, c => c == '\n'));
    }

    private static string[] Lines(string json)
    {
        ReportResponse report = Answers.Read(Encoding.UTF8.GetBytes(json), AnswerJson.Default.ReportResponse)!;
        return [.. ReportText.Lines(report, report.From!.Value, report.To!.Value, Berlin)];
    }

    private static Task<(int ExitCode, string Output, string Error)> RunAsync(ApiStub stub, params string[] arguments) =>
        Daemon.RunAsync(["report", "--url", stub.Url.ToString(), .. arguments]);
}
