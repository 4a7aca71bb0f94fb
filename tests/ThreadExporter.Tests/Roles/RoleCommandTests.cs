using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Roles;

/// <summary><c>thread-exporter roles</c> and the role files in <c>check</c>, <c>run</c> and <c>reload</c>.</summary>
public sealed class RoleCommandTests : IDisposable
{
    private readonly RoleFolder _own = new();
    private readonly TempConfig _config = new("[[filter]]\nname = \"f\"\nmatch = \"thread-exporter\"\n");

    public void Dispose()
    {
        _own.Dispose();
        _config.Dispose();
    }

    [Fact]
    public async Task Roles_prints_all_own_ones_first()
    {
        _own.Write("mine.toml", RoleFolder.Role("mine", "worker-*", "My workers"));
        (int code, string output, string error) = await Daemon.RunAsync(["roles"], _own.Environment);
        Assert.Equal((0, ""), (code, error));
        string[] lines = output.TrimEnd().Split('\n');
        Assert.Matches("^PROCESS +THREAD +ROLE$", lines[0]);
        Assert.Matches("^mine +worker-\\* +My workers$", lines[1]);
        Assert.Contains(lines, l => System.Text.RegularExpressions.Regex.IsMatch(l, "^ceph-osd +bstore_kv_sync +BlueStore key-value commit$"));
        Assert.Contains(lines, l => System.Text.RegularExpressions.Regex.IsMatch(l, "^\\(kernel\\) +kswapd\\* +Page reclaim$"));
        Assert.All(lines, l => Assert.True(l.Length < 160 && l == l.TrimEnd(), l));
    }

    [Fact]
    public async Task Roles_of_a_name_have_their_text_and_source()
    {
        _own.Write("mine.toml", RoleFolder.Role("mine", "worker-*", "My workers") + "source = \"https://wiki.example/mine\"\n");
        (int code, string output, string error) = await Daemon.RunAsync(["roles", "worker-17"], _own.Environment);
        Assert.Equal((0, ""), (code, error));
        Assert.Equal("PROCESS  THREAD    ROLE\nmine     worker-*  My workers\n    What My workers does.\n    https://wiki.example/mine\n", output);
    }

    [Fact]
    public async Task Roles_of_an_unknown_name_are_one_line_and_exit_1()
    {
        (int code, string output, string error) = await Daemon.RunAsync(["roles", "no-such\u202ename"], _own.Environment);
        Assert.Equal((1, "", "thread-exporter: no role is known for \"no-such\\u202Ename\"\n"), (code, output, error));
    }

    [Fact]
    public async Task A_bad_file_is_reported_by_roles_and_check_with_exit_78()
    {
        string bad = _own.Write("bad.toml", "[[role]]\nproces = \"p\"\n");
        (int code, string output, string error) = await Daemon.RunAsync(["roles", "kswapd0"], _own.Environment);
        Assert.Equal(78, code);
        Assert.Contains("Page reclaim", output, StringComparison.Ordinal);
        Assert.Contains($"{bad}:2:1: unknown key role.proces: did you mean \"process\"?\n", error, StringComparison.Ordinal);
        (code, output, error) = await Daemon.RunAsync(["check", "--config", _config.Path], _own.Environment);
        Assert.Equal(78, code);
        Assert.Contains(": OK (1 filter)\n", output, StringComparison.Ordinal);
        Assert.Contains($"{bad}:2:1: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bad_file_is_left_out_at_the_start_and_fails_a_reload()
    {
        string bad = _own.Write("bad.toml", "[[role]]\nproces = \"p\"\n");
        DirectoryInfo runtime = Directory.CreateTempSubdirectory("te-reload-");
        try
        {
            Dictionary<string, string> environment = new(_own.Environment) { ["RUNTIME_DIRECTORY"] = runtime.FullName };
            await using Daemon daemon = await Daemon.StartForReloadAsync(["--config", _config.Path], environment);
            Assert.Contains($"{bad}:2:1: unknown key role.proces", daemon.Log, StringComparison.Ordinal);
            Assert.Contains($"The role files with errors are left out: {bad}", daemon.Log, StringComparison.Ordinal);
            Assert.Equal(1, (await daemon.ScrapeParsedAsync()).Value("thread_exporter_config_last_reload_successful"));

            (int code, _, string error) = await Daemon.RunAsync(["reload", $"{daemon.Pid}"], environment);
            Assert.Equal(78, code);
            Assert.Contains($"{bad}:2:1: ", error, StringComparison.Ordinal);
            Assert.Contains($" errors in {bad}; keeping the configuration loaded at ", daemon.Log, StringComparison.Ordinal);
            Assert.Contains("2:1: role.proces in bad.toml", await daemon.Http.GetStringAsync("/", TestContext.Current.CancellationToken), StringComparison.Ordinal);

            _own.Write("bad.toml", "");
            Assert.Equal((0, "", ""), await Daemon.RunAsync(["reload", $"{daemon.Pid}"], environment));
        }
        finally
        {
            runtime.Delete(recursive: true);
        }
    }
}
