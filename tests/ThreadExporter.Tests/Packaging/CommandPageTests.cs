using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Reflection;
using System.Text.RegularExpressions;
using ThreadExporter.Commands;
using ThreadExporter.Configuration;
using ThreadExporter.Exposition;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Packaging;

/// <summary>thread-exporter(8) against the program.</summary>
public sealed partial class CommandPageTests
{
    private static readonly RootCommand Root = RealRoot();

    internal static RootCommand RealRoot() => new CommandLine(_ => Task.FromResult(0), _ => 0, _ => 0, _ => Task.FromResult(0), _ => 0, _ => 0, (_, _) => Task.FromResult(0), (_, _) => Task.FromResult(0)).Root;

    [Fact]
    public void It_has_every_command_and_no_other()
    {
        string[] commands = [.. Root.Subcommands.Select(c => c.Name)];
        Assert.Equal(commands, ManPage.Command.Items("COMMANDS", "Cm").Select(i => i.Split(' ')[0]));
        string synopsis = string.Join('\n', ManPage.Command.Section("SYNOPSIS"));
        Assert.Equal(commands, Word().Matches(synopsis).Select(m => m.Groups[1].Value));
    }

    [Fact]
    public void It_names_the_arguments_of_commands()
    {
        foreach (Command command in Root.Subcommands)
        {
            string head = ManPage.Command.Items("COMMANDS", "Cm").Single(i => i.Split(' ')[0] == command.Name);
            Assert.Equal(string.Join(' ', [command.Name, .. command.Options.Count > 0 ? ["Op Ar options"] : Array.Empty<string>(), .. command.Arguments.Select(a => a.Arity.MinimumNumberOfValues == 0 ? $"Op Ar {a.Name}" : $"Ar {a.Name}")]), head);
        }
    }

    [Fact]
    public void It_has_every_option_with_its_value_and_no_other()
    {
        // `-h , Fl -help` is one item; only the first flag and the last word count.
        Dictionary<string, string?> documented = ManPage.Command.Items("OPTIONS", "Fl").ToDictionary(
            i => "-" + Flag().Matches("Fl " + i)[^1].Groups[1].Value, i => i.Contains(" Ar ", StringComparison.Ordinal) ? i.Split(" Ar ")[1] : null);
        Assert.Equal(
            Root.Options.ToDictionary(o => o.Name, o => o.HelpName).OrderBy(o => o.Key, StringComparer.Ordinal),
            documented.OrderBy(o => o.Key, StringComparer.Ordinal));
    }

    [Fact]
    public void A_section_has_every_option_of_a_command_that_has_its_own()
    {
        Command[] commands = [.. Root.Subcommands.Where(c => c.Options.Count > 0)];
        Assert.Equal(["top", "report"], commands.Select(c => c.Name));
        foreach (Command command in commands)
        {
            string[] documented = ManPage.Command.Items($"OPTIONS OF {command.Name.ToUpperInvariant()}", "Fl");
            Assert.Equal(command.Options.Select(o => $"{o.Name[1..]}{(o.HelpName is null ? "" : $" Ar {o.HelpName}")}"), documented);
        }
    }

    [Fact]
    public void It_mentions_no_option_that_does_not_exist()
    {
        HashSet<string> known = [.. Root.Options.Concat(Root.Subcommands.SelectMany(c => c.Options)).SelectMany(o => o.Aliases.Append(o.Name))];
        foreach (ManPage page in (ManPage[])[ManPage.Command, ManPage.ConfigFile])
        {
            IEnumerable<string> flags = Flag().Matches(page.Source).Select(m => "-" + m.Groups[1].Value);
            IEnumerable<string> inExamples = page.Examples.Where(e => e.Contains("thread-exporter ", StringComparison.Ordinal)).SelectMany(e => LongOption().Matches(e).Select(m => m.Value));
            Assert.Empty(flags.Concat(inExamples).Except(known));
        }
    }

    [Fact]
    public void Its_defaults_are_those_of_the_program()
    {
        Assert.Contains($".Pa {CommandLine.DefaultConfig}", ManPage.Command.Body(".It Fl -config Ar FILE"));
        Assert.Contains($"Default: {new WebConfig().Listen.Single().TrimStart(':')}.", ManPage.Command.Body(".It Fl -port Ar N"));
        string levels = string.Join('\n', ManPage.Command.Body(".It Fl -log.level Ar LEVEL").TakeWhile(l => !l.StartsWith("Default:", StringComparison.Ordinal)));
        Assert.Equal(ConfigReader.LogLevels.Select(l => l.Text), LowerCaseWord().Matches(levels).Select(m => m.Value).Where(w => w != "or"));
    }

    [Fact]
    public void It_has_every_environment_variable_and_no_other()
    {
        // The notifier that reads this variable is not ours.
        HashSet<string> read = ["NOTIFY_SOCKET"];
        foreach (string file in Directory.EnumerateFiles(Repository.File("src"), "*.cs", SearchOption.AllDirectories).Where(f => !f.Contains("/obj/", StringComparison.Ordinal)))
            read.UnionWith(ReadVariable().Matches(File.ReadAllText(file)).Select(m => m.Groups[1].Value));
        Assert.True(read.Count > 5, "the pattern no longer finds where variables are read");
        IEnumerable<string> documented = ManPage.Command.Section("ENVIRONMENT")
            .Where(l => l.StartsWith(".It Ev ", StringComparison.Ordinal) || l.StartsWith(".Ev ", StringComparison.Ordinal))
            .SelectMany(l => UpperCaseWord().Matches(l).Select(m => m.Value));
        Assert.Equal(read.Order(StringComparer.Ordinal), documented.Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Its_exit_codes_are_those_of_the_program()
    {
        IEnumerable<int> codes = typeof(ExitCode).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (int)f.GetRawConstantValue()!).Order();
        Assert.Equal(codes, ManPage.Command.Section("EXIT STATUS").Where(l => l.StartsWith(".It ", StringComparison.Ordinal)).Select(l => int.Parse(l[4..], CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void Metrics_it_mentions_exist()
    {
        foreach (ManPage page in (ManPage[])[ManPage.Command, ManPage.ConfigFile])
        {
            string[] mentioned = [.. Metric().Matches(page.Source).Select(m => m.Value).Distinct()];
            Assert.NotEmpty(mentioned);
            Assert.Empty(mentioned.Except(MetricCatalog.All.Select(f => f.Name)));
        }
    }

    [Fact]
    public async Task Its_endpoints_are_those_of_the_program()
    {
        string[] documented = ManPage.Command.Items("HTTP ENDPOINTS", "Li");
        string source = await File.ReadAllTextAsync(Repository.File("src/ThreadExporter/Web/MetricsEndpoints.cs"), TestContext.Current.CancellationToken)
            + await File.ReadAllTextAsync(Repository.File("src/ThreadExporter/Web/Pages/PageEndpoints.cs"), TestContext.Current.CancellationToken);
        // /hot.js and similar files belong to the hot page.
        IEnumerable<string> mapped = MappedPath().Matches(source).Select(m => m.Groups[1].Value).Where(p => !p.Contains('.', StringComparison.Ordinal))
            .Append(new WebConfig().TelemetryPath);
        Assert.Equal(mapped.Order(StringComparer.Ordinal), documented.Select(d => d.Split(' ')[1]).Order(StringComparer.Ordinal));

        await using Daemon daemon = await Daemon.StartAsync(["--filter", "thread-exporter"]);
        foreach (string[] endpoint in documented.Select(d => d.Split(' ')))
        {
            using HttpRequestMessage request = new(HttpMethod.Parse(endpoint[0]), endpoint[1]);
            using HttpResponseMessage response = await daemon.Http.SendAsync(request, TestContext.Current.CancellationToken);
            // Nothing is recorded here.
            HttpStatusCode expected = endpoint[0] == "POST" ? HttpStatusCode.Forbidden : endpoint[1] == "/api/v1/report" ? HttpStatusCode.NotFound : HttpStatusCode.OK;
            Assert.Equal(expected, response.StatusCode);
        }
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task The_signals_it_names_stop_the_daemon_with_exit_code_0(string signal)
    {
        Assert.Contains("SIG" + signal, ManPage.Command.Items("SIGNALS", "Dv").SelectMany(i => i.Split(" , ")));
        await using Daemon daemon = await Daemon.StartAsync(["--filter", "thread-exporter"]);
        daemon.Signal(signal);
        Assert.Equal(0, await daemon.WaitForExitAsync());
    }

    [GeneratedRegex(@"\bCm ([a-z]+)")]
    private static partial Regex Word();

    [GeneratedRegex(@"\bFl ([a-z.-]+[a-z]|[a-z])")]
    private static partial Regex Flag();

    [GeneratedRegex(@"(?<=\s)--[a-z][a-z.-]+")]
    private static partial Regex LongOption();

    [GeneratedRegex(@"\b[a-z]+\b")]
    private static partial Regex LowerCaseWord();

    [GeneratedRegex(@"\b[A-Z]+(_[A-Z]+)*\b")]
    private static partial Regex UpperCaseWord();

    [GeneratedRegex(@"GetEnvironmentVariable\(""([A-Z_]+)""\)")]
    private static partial Regex ReadVariable();

    [GeneratedRegex(@"\b(?:perfscale|thread_exporter)_[a-z_]+")]
    private static partial Regex Metric();

    [GeneratedRegex(@"Map(?:Methods|File)?\((?:app, )?""([^""]+)""")]
    private static partial Regex MappedPath();
}
