using System.Text.Json;
using ThreadExporter.Tests.Support;
using ThreadExporter.Web.Pages;

namespace ThreadExporter.Tests.Commands;

/// <summary><c>top</c> without a terminal: of this host, and of a daemon.</summary>
public sealed class TopCommandTests : IDisposable
{
    private readonly Workload _workload = new();

    public void Dispose() => _workload.Dispose();

    [Fact]
    public async Task It_shows_the_threads_of_this_host_without_a_daemon()
    {
        int hot = _workload.Spawn("hot", "burn");
        (int code, string output, string error) = await RunAsync("--filter", $"{_workload.Pid}", "-b", "-n", "1", "-d", "0.5");
        Assert.Equal((0, ""), (code, error));
        string[] lines = output.Split('\n');
        Assert.StartsWith($" thread-exporter top  {Environment.MachineName}  ", lines[0], StringComparison.Ordinal);
        Assert.Matches($" threads of 1 process", lines[1]);
        Assert.Matches($@"^ +{_workload.Pid} workload +{hot} hot +[1-9][0-9.]* ", lines.SkipWhile(l => !l.Contains(" PID ", StringComparison.Ordinal)).ElementAt(1));
        Assert.DoesNotContain('\e', output);
    }

    [Fact]
    public async Task Refreshes_are_one_table_after_the_other()
    {
        (int code, string output, _) = await RunAsync("--filter", $"{_workload.Pid}", "-n", "3", "-d", "0.25");
        Assert.Equal(0, code);
        Assert.Equal(3, output.Split("thread-exporter top").Length - 1);
        Assert.Contains("\n\n thread-exporter top", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_ends_when_the_reader_of_a_pipe_has_ended()
    {
        (int code, string output, string error) = await Packaging.ShellRun.RunAsync(
            "/bin/bash", ["-c", $"'{Daemon.Program}' top --filter {_workload.Pid} -b -d 0.25 | head -n 1; exit ${{PIPESTATUS[0]}}"]);
        Assert.Equal((0, ""), (code, error));
        Assert.StartsWith(" thread-exporter top ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_filters_it_shows_all_processes_and_says_so()
    {
        using TempConfig config = new("# none\n");
        int hot = _workload.Spawn("hot", "burn");
        (int code, string output, _) = await RunAsync("--config", config.Path, "-n", "1", "-d", "0.5");
        Assert.Equal(0, code);
        Assert.Contains($" All processes, because {config.Path} has no filter. --filter LIST names some.", output, StringComparison.Ordinal);
        Assert.Matches($@"(?m)^ +{_workload.Pid} workload +{hot} hot ", output);
    }

    [Fact]
    public async Task The_filters_of_a_configuration_apply_without_what_only_a_daemon_needs()
    {
        using TempConfig config = new($"[[filter]]\npid = [{_workload.Pid}]\n[web.tls]\ncert_file = \"/no/such/cert\"\nkey_file = \"/no/such/key\"\n");
        (int code, string output, string error) = await RunAsync("--config", config.Path, "-n", "1", "-d", "0.25");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains(" of 1 process", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/no/such/file.toml", "/no/such/file.toml: no such file\n")]
    [InlineData(null, ":1:1: ")]
    public async Task A_configuration_that_was_named_must_be_usable(string? path, string expected)
    {
        using TempConfig config = new("nonsense = 1\n");
        (int code, _, string error) = await RunAsync("--config", path ?? config.Path, "-n", "1");
        Assert.Equal(78, code);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_shows_what_a_daemon_answers()
    {
        int hot = _workload.Spawn("hot\u202e", "burn");
        await using Daemon daemon = await Daemon.StartAsync(["--filter", $"{_workload.Pid}"]);
        (int code, string output, string error) = await RunAsync("--url", daemon.Http.BaseAddress!.ToString(), "-n", "1", "-d", "0.5");
        Assert.Equal((0, ""), (code, error));
        Assert.StartsWith($" thread-exporter top  {daemon.Http.BaseAddress.Authority}  ", output, StringComparison.Ordinal);
        Assert.Matches($@"(?m)^ +{_workload.Pid} workload +{hot} hot\\u202E ", output);
    }

    [Fact]
    public async Task The_environment_may_name_the_daemon()
    {
        await using ApiStub stub = await ApiStub.StartAsync(200, Json(HotSample.Mixed));
        Dictionary<string, string> environment = new() { ["THREAD_EXPORTER_URL"] = stub.Url.ToString() };
        (int code, string output, _) = await Daemon.RunAsync(["top", "-n", "1", "-d", "0.25"], environment);
        Assert.Equal(0, code);
        Assert.Contains(" tp_osd_tp ", output, StringComparison.Ordinal);
        // The filter is for this host.
        (code, output, _) = await Daemon.RunAsync(["top", "--filter", $"{_workload.Pid}", "-n", "1", "-d", "0.25"], environment);
        Assert.Equal(0, code);
        Assert.DoesNotContain("tp_osd_tp", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_recorded_moment_is_asked_for_and_printed_once()
    {
        string recorded = Json(HotSample.Mixed)[..^1] + ",\"recorded\":{\"at\":\"2026-11-26T02:13:05Z\",\"from\":\"2026-11-26T02:13:00Z\"}}";
        await using ApiStub stub = await ApiStub.StartAsync(200, recorded);
        (int code, string output, string error) = await RunAsync("--url", stub.Url.ToString(), "--at", "2026-01-26T02:13:00+01:00");
        Assert.Equal((0, ""), (code, error));
        Assert.Equal("/api/v1/hot?n=200&at=2026-01-26T01%3A13%3A00.000Z", Assert.Single(stub.Requests));
        Assert.Contains("RECORDED 2026-11-26 0", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_nothing_is_recorded_it_says_what_is()
    {
        await using ApiStub stub = await ApiStub.StartAsync(404,
            "{\"error\":\"nothing is recorded at this time\",\"recorded\":{\"from\":\"2026-11-26T01:00:00Z\",\"to\":\"2026-11-26T02:00:00Z\"}}");
        (int code, string output, string error) = await RunAsync("--url", stub.Url.ToString(), "--at", "2026-01-26T02:13:00+01:00");
        Assert.Equal((1, ""), (code, output));
        Assert.Matches("^thread-exporter: nothing is recorded at this time; recorded is 2026-11-26 [0-9:]+ [+-][0-9:]+ to 2026-11-26 [0-9:]+ [+-][0-9:]+\n$", error);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("<html>")]
    [InlineData("{\"threads\":[null],\"processes\":[],\"watched\":{\"filters\":1,\"processes\":1,\"threads\":1,\"last_reload_successful\":true}}")]
    [InlineData("{\"threads\":[{\"name\":\"a\"}],\"processes\":[],\"watched\":{\"filters\":1,\"processes\":1,\"threads\":1,\"last_reload_successful\":true}}")]
    public async Task What_is_not_an_answer_of_the_exporter_is_an_error(string body)
    {
        await using ApiStub stub = await ApiStub.StartAsync(200, body);
        (int code, _, string error) = await RunAsync("--url", stub.Url.ToString(), "-n", "1");
        Assert.Equal((1, $"thread-exporter: {stub.Url} does not answer as thread-exporter does: is this the right port?\n"), (code, error));
    }

    [Fact]
    public async Task The_password_is_not_in_an_error()
    {
        await using ApiStub stub = await ApiStub.StartAsync(401, "");
        (int code, _, string error) = await RunAsync("--url", new UriBuilder(stub.Url) { UserName = "me", Password = "hidden" }.ToString(), "-n", "1");
        Assert.Equal((1, $"thread-exporter: {stub.Url} does not accept this user and password\n"), (code, error));
        (code, _, error) = await RunAsync("--url", "me:hidden@host");
        Assert.Equal(2, code);
        Assert.DoesNotContain("hidden", error, StringComparison.Ordinal);
    }

    private static string Json(HotThreadsResponse response) => JsonSerializer.Serialize(response, ApiJson.Default.HotThreadsResponse);

    private static Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments) => Daemon.RunAsync(["top", .. arguments]);
}
