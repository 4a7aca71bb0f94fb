using System.CommandLine;
using System.Globalization;
using ThreadExporter.Configuration;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Packaging;

/// <summary>packaging/completion/thread-exporter.bash in a real bash.</summary>
public sealed class CompletionTests : IDisposable
{
    private const string Package = "/usr/share/bash-completion/bash_completion";
    private static readonly string Script = Repository.File("packaging/completion/thread-exporter.bash");
    private static readonly RootCommand Root = CommandPageTests.RealRoot();
    private readonly string _folder = Directory.CreateTempSubdirectory("te-completion-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task It_offers_every_command_and_no_other() =>
        Assert.Equal(Root.Subcommands.Select(c => c.Name), await CompleteAsync(""));

    [Fact]
    public async Task It_offers_every_option_and_no_other() =>
        Assert.Equal(Sorted(Root.Options.Select(o => o.Name)), Sorted(await CompleteAsync("-")));

    [Theory]
    [InlineData("run")]
    [InlineData("check")]
    [InlineData("once")]
    public async Task After_a_command_it_offers_the_options_that_still_apply(string command) =>
        Assert.Equal(
            Sorted(Root.Options.Where(o => o.Recursive).Select(o => o.Name)),
            Sorted(await CompleteAsync(command, "--")));

    [Theory]
    [InlineData("top")]
    [InlineData("report")]
    public async Task After_a_command_with_options_of_its_own_it_offers_these_too(string command) =>
        Assert.Equal(
            Sorted(Root.Options.Where(o => o.Recursive).Concat(Root.Subcommands.Single(c => c.Name == command).Options).Select(o => o.Name)),
            Sorted(await CompleteAsync(command, "-")));

    [Theory]
    [InlineData("ch", "check")]
    [InlineData("--we", "--web.listen-address")]
    [InlineData("reload --", "--help")]
    [InlineData("convert --", "--help")]
    [InlineData("roles --", "--help")]
    [InlineData("roles a", "")]
    [InlineData("top --ur", "--url")]
    [InlineData("top --url ", "")]
    [InlineData("top -d ", "")]
    [InlineData("top --at ", "")]
    [InlineData("report --format j", "json")]
    [InlineData("report --from 02 : 00 --fo", "--format")]
    [InlineData("convert proc", "compopt -o default")]
    [InlineData("convert a.yml b", "")]
    [InlineData("--log.level d", "debug")]
    [InlineData("--log.level = e", "error")]
    [InlineData("once --log.level w", "warn")]
    [InlineData("--log.level debug rel", "reload")]
    [InlineData("--log.level = debug rel", "reload")]
    [InlineData("--config check o", "once")]
    [InlineData("check o", "")]
    [InlineData("once --port ", "")]
    [InlineData("--web.listen-address 1", "")]
    [InlineData("--web.listen-address localhost : c", "")]
    [InlineData("--web.listen-address localhost : 1 ch", "check")]
    [InlineData("--web.listen-address [ :: 1] : 9199 ch", "check")]
    [InlineData("nonsense", "")]
    // compopt -o default stands for readline's own completion of paths.
    [InlineData("--config ", "compopt -o default")]
    [InlineData("check --config = /e", "compopt -o default")]
    [InlineData("--config =", "compopt -o default")]
    [InlineData("--path.procfs /", "compopt -o dirnames")]
    public async Task It_completes(string words, string expected) =>
        Assert.Equal(expected.Length == 0 ? [] : [expected], await CompleteAsync(words.Split(' ')));

    [Fact]
    public async Task It_offers_every_log_level_and_no_other() =>
        Assert.Equal(ConfigReader.LogLevels.Select(l => l.Text), await CompleteAsync("--log.level", ""));

    [Fact]
    public async Task Reload_offers_the_pids_of_running_daemons()
    {
        await using Daemon daemon = await Daemon.StartAsync(["--filter", "thread-exporter"]);
        string pid = daemon.Pid.ToString(CultureInfo.InvariantCulture);
        string[] offered = await CompleteAsync("reload", "");
        Assert.Contains(pid, offered);
        Assert.DoesNotContain(Environment.ProcessId.ToString(CultureInfo.InvariantCulture), offered);
        Assert.Contains(pid, await CompleteAsync("reload", pid[..1]));
        Assert.Empty(await CompleteAsync("reload", pid, ""));
    }

    [Fact]
    public async Task Filter_offers_names_of_processes_behind_the_last_comma()
    {
        Assert.Equal(["compopt -o nospace", "te-complete-me"], await CompleteAsync(["--filter", "te-complete"], "te-complete-me"));
        Assert.Equal(["3240,compopt,te-complete-me", "compopt -o nospace"], Sorted(await CompleteAsync(["--filter", "3240,compopt,te-complete"], "te-complete-me")));
    }

    [Fact]
    public async Task A_hostile_name_is_neither_offered_nor_run()
    {
        string[] offered = await CompleteAsync(["--filter", ""], "$(>pwned)");
        Assert.NotEmpty(offered);
        Assert.DoesNotContain(offered, o => o.Contains("pwned", StringComparison.Ordinal));
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    /// <summary>Typed at a prompt: readline splits paths and words by its own rules.</summary>
    [Theory]
    [InlineData("che\t", "<check>")]
    [InlineData("--config my\t", "<--config><my file.toml>")]
    [InlineData("--config=oth\t", "<--config=other.toml>")]
    [InlineData("--path.procfs a\t", "<--path.procfs><a dir/>")]
    [InlineData("--log.level=de\t o\t", "<--log.level=debug><once>")]
    [InlineData("--config my\t --web\t:1 ch\t", "<--config><my file.toml><--web.listen-address><:1><check>")]
    public async Task It_works_at_a_prompt_with_and_without_the_package(string typed, string arguments)
    {
        File.WriteAllText(Path.Combine(_folder, "my file.toml"), "");
        File.WriteAllText(Path.Combine(_folder, "other.toml"), "");
        File.WriteAllText(Path.Combine(_folder, "another"), "");
        Directory.CreateDirectory(Path.Combine(_folder, "a dir"));
        Assert.Equal(arguments, await TypeAsync("", typed));
        if (File.Exists(Package))
            Assert.Equal(arguments, await TypeAsync($"source {Package}\n", typed));
    }

    private static string[] Sorted(IEnumerable<string> words) => [.. words.Order(StringComparer.Ordinal)];

    private Task<string[]> CompleteAsync(params string[] words) => CompleteAsync(words, ownName: "bash");

    /// <summary>The completions of the last word, with the options of compopt.</summary>
    private async Task<string[]> CompleteAsync(string[] words, string ownName)
    {
        const string Harness = """
            source "$1"; printf %s "$2" > /proc/$$/comm; shift 2
            compopt() { printf 'compopt %s\n' "$*"; }
            [[ $(complete -p thread-exporter) =~ -F\ ([^ ]+) ]] || exit 3
            COMP_WORDS=(thread-exporter "$@") COMP_CWORD=$#
            "${BASH_REMATCH[1]}" thread-exporter "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
            for word in "${COMPREPLY[@]}"; do printf '%s\n' "$word"; done
            """;
        (int code, string output, string error) = await ShellRun.RunAsync("bash", ["--norc", "-c", Harness, "bash", Script, ownName, .. words], _folder);
        Assert.Equal((0, ""), (code, error));
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private async Task<string> TypeAsync(string before, string typed)
    {
        string session = $"{before}source '{Script}'\nthread-exporter() {{ printf '<%s>' \"$@\"; echo; }}\nthread-exporter {typed}\nexit\n";
        Dictionary<string, string> environment = new() { ["TERM"] = "dumb", ["INPUTRC"] = "/dev/null", ["HISTFILE"] = "/dev/null" };
        (_, string output, string error) = await ShellRun.RunAsync("bash", ["--norc", "-i"], _folder, session, environment);
        string[] printed = [.. output.Split('\n').Where(l => l.StartsWith('<'))];
        Assert.True(printed.Length == 1, $"the command did not run once:\n{output}\n{error}");
        return printed[0];
    }
}
