using System.Net;
using System.Net.Sockets;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Commands;

/// <summary>Commands, options, environment variables and exit codes of the program.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly TempConfig _config = new("[[filter]]\nname = \"w\"\nmatch = \"workload\"\n");

    public void Dispose() => _config.Dispose();

    [Fact]
    public async Task Version_is_the_plain_version()
    {
        (int code, string output, _) = await Daemon.RunAsync(["--version"]);
        Assert.Equal((0, Repository.Version + "\n"), (code, output));
    }

    [Fact]
    public async Task Help_names_every_command_and_option()
    {
        (int code, string output, _) = await Daemon.RunAsync(["--help"]);
        Assert.Equal(0, code);
        foreach (string word in (string[])["run", "check", "once", "top", "report", "reload", "convert", "roles", "--config", "--filter", "--port", "--web.listen-address", "--path.procfs", "--log.level", "--version"])
            Assert.Contains(word, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--nonsense")]
    [InlineData("--port x")]
    [InlineData("--port 70000")]
    [InlineData("--port 9199 --web.listen-address :9199")]
    [InlineData("--log.level loud")]
    [InlineData("checkk")]
    [InlineData("reload abc")]
    [InlineData("convert")]
    [InlineData("convert a.yml b.yml")]
    [InlineData("roles a b")]
    [InlineData("roles [a")]
    [InlineData("top -d 0.1")]
    [InlineData("top -d 61")]
    [InlineData("top -d NaN")]
    [InlineData("top -n 0")]
    [InlineData("top --at yesterday")]
    [InlineData("top --at 9999-01-01T00:00:00Z")]
    [InlineData("top --url localhost:9199")]
    [InlineData("top --url http://localhost:9199 --filter a")]
    [InlineData("report")]
    [InlineData("report --from 2026-01-01T02:00:00Z --to 2026-01-01T01:00:00Z")]
    [InlineData("report --from 2026-01-01T02:00:00Z --format xml")]
    [InlineData("report --from 2026-01-01T02:00:00Z -n 201")]
    public async Task Usage_errors_exit_2_with_a_message(string arguments)
    {
        (int code, _, string error) = await Daemon.RunAsync(arguments.Split(' '));
        Assert.Equal(2, code);
        Assert.StartsWith("thread-exporter: ", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "must not be empty")]
    [InlineData("/tmp/a\nb.toml", "must not contain a control character: character 7 is \\u000A")]
    [InlineData("a\u001b[2J", "must not contain a control character: character 2 is \\u001B")]
    [InlineData(null, "must not be longer than 4095 bytes")]
    public async Task A_config_path_that_cannot_be_one_is_a_usage_error(string? path, string message)
    {
        foreach (string command in (string[])["run", "check", "once"])
        {
            (int code, _, string error) = await Daemon.RunAsync([command, "--config", path ?? "/" + new string('a', 4095)]);
            Assert.Equal((2, $"thread-exporter: --config {message}\nTry `thread-exporter --help`.\n"), (code, error));
        }
    }

    [Theory]
    [InlineData("/pr\noc", "must not contain a control character: character 4 is \\u000A")]
    [InlineData(null, "must not be longer than 4095 bytes")]
    public async Task A_procfs_path_that_cannot_be_one_exits_78(string? path, string message)
    {
        (int code, _, string error) = await Daemon.RunAsync(["check", "--config", _config.Path, "--path.procfs", path ?? "/" + new string('a', 4095)]);
        Assert.Equal((78, $"--path.procfs: {message}\n"), (code, error));
    }

    [Fact]
    public async Task A_configuration_without_filters_is_reported_to_watch_nothing()
    {
        _config.Write("# nothing yet\n");
        (int code, string output, _) = await Daemon.RunAsync(["check", "--config", _config.Path]);
        Assert.Equal(0, code);
        Assert.Contains("warning: no filter is configured, nothing is watched\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bad_PORT_is_a_usage_error()
    {
        (int code, _, string error) = await Daemon.RunAsync(["once"], new Dictionary<string, string> { ["PORT"] = "http" });
        Assert.Equal(2, code);
        Assert.Contains("PORT=\"http\"", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("check")]
    [InlineData("once")]
    [InlineData("run")]
    public async Task A_bad_file_exits_78_with_every_error(string command)
    {
        _config.Write("[[filter]]\nmatch = 7\nnonsense = true\n[web]\nmax_requests = 0\n");
        (int code, _, string error) = await Daemon.RunAsync([command, "--config", _config.Path]);
        Assert.Equal(78, code);
        Assert.Equal([$"{_config.Path}:2:9:", $"{_config.Path}:3:1:", $"{_config.Path}:5:16:"], error.TrimEnd().Split('\n').Select(l => l.Split(' ')[0]));
    }

    [Fact]
    public async Task A_missing_file_exits_78()
    {
        (int code, _, string error) = await Daemon.RunAsync(["check", "--config", "/no/such/file.toml"]);
        Assert.Equal(78, code);
        Assert.Contains("/no/such/file.toml", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_lists_the_matches()
    {
        using Workload workload = new();
        (int code, string output, _) = await Daemon.RunAsync(["check", "--config", _config.Path]);
        Assert.Equal(0, code);
        Assert.Matches($@"(?m)^w +{workload.Pid} +workload +workload +[0-9]+$", output);
    }

    [Fact]
    public async Task Hostile_names_are_escaped_by_check_and_exact_in_once()
    {
        const string Name = "o\u202eve\u001b[2J";
        using FixtureProc proc = new();
        proc.Process(10, Name);
        proc.Thread(10, 10, "main"u8);
        _config.Write("[[filter]]\nname = \"f\\u202e\\n\"\npid = 10\n");
        (int code, string output, _) = await Daemon.RunAsync(["check", "--config", _config.Path, "--path.procfs", proc.Root]);
        Assert.Equal(0, code);
        Assert.Contains(": OK (1 filter)\n", output, StringComparison.Ordinal);
        Assert.Matches(@"(?m)^f\\u202E\\u000A  10   o\\u202Eve\\u001B\[2J  o\\u202Eve\\u001B\[2J  1$", output);
        (code, output, _) = await Daemon.RunAsync(["once", "--config", _config.Path, "--path.procfs", proc.Root]);
        Assert.Equal(0, code);
        Assert.Contains(Support.ParsedScrape.Parse(output).Of("perfscale_thread_cpu_seconds_total"), s => s.Labels["pname"] == Name);
        (_, _, string error) = await Daemon.RunAsync(["check", "--config", "/no/su\u202ech"]);
        Assert.StartsWith("/no/su\\u202Ech: ", error, StringComparison.Ordinal);
        (_, _, error) = await Daemon.RunAsync(["--log.level", "\u202e\u001b[2J"]);
        Assert.StartsWith("thread-exporter: invalid --log.level \"\\u202E\\u001B[2J\": expected trace", error, StringComparison.Ordinal);
        _config.Write("\"a\\u202e\" = 1\n\"a\\u202e\" = 2\n");
        (_, _, error) = await Daemon.RunAsync(["check", "--config", _config.Path]);
        Assert.Contains("the key `a\\u202E` is already defined", error, StringComparison.Ordinal);
        Assert.DoesNotContain('\u202e', error);
    }

    [Fact]
    public async Task Once_prints_a_collection()
    {
        using Workload workload = new();
        int tid = workload.Spawn("named", "idle");
        (int code, string output, _) = await Daemon.RunAsync(["once", "--config", _config.Path]);
        Assert.Equal(0, code);
        Assert.Contains(Support.ParsedScrape.Parse(output).Of("perfscale_thread_cpu_seconds_total"), s => s.Labels["tid"] == $"{tid}" && s.Labels["tname"] == "named");
    }

    [Fact]
    public async Task Flags_override_the_environment_which_overrides_the_file()
    {
        async Task<string> FilterOf(string[] arguments, string? environment)
        {
            Dictionary<string, string> variables = environment is null ? [] : new() { ["FILTER"] = environment };
            (int code, string output, _) = await Daemon.RunAsync(["once", "--config", _config.Path, .. arguments], variables);
            Assert.Equal(0, code);
            return Assert.Single(Support.ParsedScrape.Parse(output).Of("thread_exporter_filter_matched_processes")).Labels["filter"];
        }

        Assert.Equal("w", await FilterOf([], null));
        Assert.Equal("from-env, 1", await FilterOf([], "from-env, 1"));
        Assert.Equal("from-flag", await FilterOf(["--filter", "from-flag"], "from-env"));
    }

    [Fact]
    public async Task A_pid_filter_works_under_another_proc()
    {
        using FixtureProc proc = new();
        proc.Process(4711, "elsewhere");
        proc.Thread(4711, 4711, "elsewhere"u8, 5_000_000_000);
        (int code, string output, _) = await Daemon.RunAsync(["once", "--filter", "4711", "--path.procfs", proc.Root]);
        Assert.Equal(0, code);
        Assert.Equal("5", Assert.Single(Support.ParsedScrape.Parse(output).Of("perfscale_thread_cpu_seconds_total")).Value);
    }

    [Fact]
    public async Task A_procfs_that_is_none_is_one_clear_line()
    {
        (int code, _, string error) = await Daemon.RunAsync(["once", "--path.procfs", "/no/such/proc"]);
        Assert.Equal(1, code);
        Assert.Single(error.TrimEnd().Split('\n'));
        Assert.Contains("/no/such/proc", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_taken_port_is_one_clear_line_and_exit_1()
    {
        using TcpListener taken = new(IPAddress.Loopback, 0);
        taken.Start();
        await using Daemon daemon = Daemon.Launch(["--config", _config.Path, "--web.listen-address", taken.LocalEndpoint.ToString()!]);
        Assert.Equal(1, await daemon.WaitForExitAsync());
        Assert.Contains("address already in use", daemon.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", daemon.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_filters_it_runs_watches_nothing_and_logs_that()
    {
        _config.Write("");
        await using Daemon daemon = await Daemon.StartAsync(["--config", _config.Path]);
        await daemon.WaitForLogAsync("nothing is watched");
        Assert.Equal(0, (await daemon.ScrapeParsedAsync()).Value("thread_exporter_threads"));
        Assert.Contains("Nothing is watched, because no filter is configured", await daemon.Http.GetStringAsync("/", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(0, await daemon.StopAsync());
    }
}
