using System.Diagnostics;
using System.Globalization;
using System.Text;
using ThreadExporter.Commands;
using ThreadExporter.Configuration;
using ThreadExporter.Tests.Queries;
using ThreadExporter.Tests.Support;
using ThreadExporter.Toml;

namespace ThreadExporter.Tests.Commands;

/// <summary>What <c>convert</c> makes of each key of process-exporter's configuration.</summary>
public class ConvertTests
{
    private static readonly string Folder = Repository.File("tests/ThreadExporter.Tests/Commands/Convert");

    [Fact]
    public void Golden_example()
    {
        (string toml, string[] notes) = Convert(File.ReadAllText(Path.Combine(Folder, "example.yml")), "example.yml");
        string text = toml + string.Concat(notes.Select(n => $"# stderr: {n}\n"));
        string golden = Path.Combine(Folder, "example.toml");
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
            File.WriteAllText(golden, text);
        Assert.Equal(File.ReadAllText(golden), text);
    }

    [Fact]
    public void The_documented_example_is_what_it_makes()
    {
        string yaml = MarkdownBlocks.Read("docs/process-exporter.md", "yaml").First().Text;
        string toml = MarkdownBlocks.Read("docs/process-exporter.md", "toml").Single().Text;
        Assert.Equal(Convert(yaml, "process-exporter.yml").Toml.TrimEnd(), toml);
    }

    [Theory]
    [InlineData("comm: [bash, 'a*b', '[x]', '{a,b}', '!x', '^y', 'a\\b']", new[] { "bash", "a\\*b", "\\[x]", "\\{a,b}", "\\!x", "\\^y", "a\\\\b" })]
    [InlineData("comm: [5, ~, true, 0x1F]", new[] { "5", "~", "true", "0x1F" })]
    public void Comm_is_comm_with_glob_characters_escaped(string matcher, string[] comm)
    {
        FilterConfig filter = Filter(matcher);
        Assert.Equal(comm, filter.Comm);
        Assert.Null(filter.Cmdline);
    }

    [Theory]
    [InlineData("exe: [postgres]", "postgres -D /data", true)]
    [InlineData("exe: [postgres]", "/usr/lib/postgresql/bin/postgres", true)]
    [InlineData("exe: [postgres]", "postgresql", false)]
    [InlineData("exe: [postgres]", "sh postgres", false)]
    [InlineData("exe: [/bin/a.b, c+]", "/bin/a.b -x", true)]
    [InlineData("exe: [/bin/a.b, c+]", "/bin/aXb -x", false)]
    [InlineData("exe: [/bin/a.b, c+]", "a.b -x", false)]
    [InlineData("exe: [/bin/a.b, c+]", "x/c+", true)]
    [InlineData("{exe: [java], cmdline: ['kafka']}", "java -jar kafka", true)]
    [InlineData("{exe: [java], cmdline: ['kafka']}", "javac kafka", false)]
    [InlineData("{exe: [java], cmdline: ['a|\\s-b']}", "java -c\n -b", true)]
    [InlineData("{exe: [java], cmdline: ['\\s-b']}", "java -b", true)]
    [InlineData("{exe: [java], cmdline: ['\\s-b']}", "java -c -b", true)]
    [InlineData("{exe: [java], cmdline: ['.+']}", "java", true)]
    [InlineData("{exe: [java], cmdline: ['.+']}", "javac x", false)]
    [InlineData("cmdline: ['a', '.*']", "xay", true)]
    [InlineData("cmdline: ['.*', '.+']", "x", true)]
    [InlineData("cmdline: ['.*', '.+']", "", false)]
    [InlineData("cmdline: ['.*']", "", true)]
    [InlineData("cmdline: ['--x=(?P<X>\\d+)(y)?']", "p --x=5", true)]
    public void Exe_and_cmdline_are_one_expression_on_the_command_line(string matcher, string commandLine, bool matches)
    {
        FilterConfig filter = Filter(matcher);
        Assert.Equal(matches, filter.Cmdline!.IsMatch(commandLine));
        Assert.Empty(filter.Exe);
    }

    [Fact]
    public void Exe_beside_an_anchored_cmdline_is_the_path_of_the_program()
    {
        FilterConfig filter = Filter("{exe: [java, '/opt/x*'], cmdline: ['^java']}", out string[] notes);
        Assert.Equal(["*/java", "/opt/x\\*"], filter.Exe);
        Assert.Equal("^java", filter.Cmdline!.ToString());
        Assert.Contains("CAP_SYS_PTRACE", Assert.Single(notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_several_cmdlines_the_first_is_used_and_each_other_is_noted()
    {
        FilterConfig filter = Filter("cmdline:\n    - a\n    - b\n    - c", out string[] notes);
        Assert.Equal("a", filter.Cmdline!.ToString());
        Assert.Equal(["f.yml:4: ", "f.yml:5: "], notes.Select(n => n[..9]));
    }

    [Fact]
    public void An_empty_cmdline_list_matches_everything() => Assert.Equal(["*"], Filter("cmdline: []").Comm);

    [Theory]
    [InlineData("comm: []")]
    [InlineData("{exe: [], comm: [x]}")]
    public void A_matcher_that_matches_nothing_is_a_comment(string matcher)
    {
        (string toml, string[] notes) = Convert($"process_names:\n- {matcher}\n");
        Assert.Empty(Load(toml).Filters);
        Assert.Contains("# [[filter]]\n", toml, StringComparison.Ordinal);
        Assert.Contains("matches nothing", Assert.Single(notes), StringComparison.Ordinal);
    }

    [Fact]
    public void An_expression_that_has_no_equivalent_is_noted()
    {
        (string toml, string[] notes) = Convert("process_names:\n- cmdline: ['(?U)a+']\n- {comm: [a], cmdline: ['\\C']}\n");
        FilterConfig filter = Assert.Single(Load(toml).Filters);
        Assert.Null(filter.Cmdline);
        Assert.Equal(2, notes.Length);
        Assert.All(notes, n => Assert.Contains("without which the filter matches more", n, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{{.Comm}}", null, "comm")]
    [InlineData(null, "/usr/bin/prog --id=7", "prog")]
    [InlineData("{{.ExeBase}}", "/usr/bin/prog --id=7", "prog")]
    [InlineData("{{- .ExeFull -}}", "/usr/bin/prog --id=7", "/usr/bin/prog")]
    [InlineData("{{ .Matches.Id }}", "/usr/bin/prog --id=7", "7")]
    [InlineData("{{ index .Matches \"Id\" }}", "/usr/bin/prog --id=7", "7")]
    [InlineData("x{{/* why */}}", null, "comm")]
    public void The_name_becomes_the_daemon(string? name, string? commandLine, string daemon)
    {
        string first = name is null ? "" : $"name: '{name}'\n  ";
        FilterConfig filter = Filter($"{first}cmdline: ['(prog) --(x)?id=(?P<Id>\\S+)']", out string[] notes);
        Assert.Empty(notes);
        Assert.Equal(commandLine is null, filter.Daemon is null);
        if (commandLine is not null)
            Assert.Equal(daemon, filter.Daemon!.Match(commandLine).Groups[1].Value);
        Assert.True(filter is { Group: true, Children: true, Threads.Detail: ThreadDetail.Name });
    }

    [Theory]
    [InlineData("{{.PID}}")]
    [InlineData("{{.Comm}} {{.StartTime}}")]
    public void A_name_with_the_process_makes_no_group(string name) =>
        Assert.False(Filter($"name: '{name}'\n  comm: [x]").Group);

    [Theory]
    [InlineData("{{.Username}}", "key user")]
    [InlineData("{{.Cgroups}}", "labels = [")]
    [InlineData("{{.Cwd}}", "working directory")]
    [InlineData("{{.Nonsense}}", "no such field")]
    [InlineData("{{.Matches.None}}", "no cmdline has a group of that name")]
    [InlineData("{{.Matches.A}}{{.ExeBase}}", "has another part of the name")]
    [InlineData("{{printf \"%s\" .Comm}}", "templates are not supported")]
    [InlineData("{{if .Comm}}", "templates are not supported")]
    public void A_field_without_a_label_is_noted(string name, string reason)
    {
        Filter($"name: '{name}'\n  cmdline: ['(?P<A>a)']", out string[] notes);
        Assert.StartsWith("f.yml:2: name: ", Assert.Single(notes), StringComparison.Ordinal);
        Assert.Contains(reason, notes[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Names_of_filters_are_unique()
    {
        (string toml, string[] notes) = Convert("process_names:\n- {name: a, comm: [x]}\n- {name: a, comm: [y]}\n- {comm: [z]}\n- {comm: [z]}\n- {name: ' ', comm: [' ']}\n");
        Assert.Equal(["a", "a (2)", "z", "z (2)", "matcher"], Load(toml).Filters.Select(f => f.Name));
        Assert.Contains("f.yml:3: name: the matcher at line 2 has the group name \"a\" too", Assert.Single(notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Several_names_in_one_group_are_noted()
    {
        Filter("name: shells\n  comm: [bash, zsh]", out string[] notes);
        Assert.StartsWith("f.yml:2: name: one group for 2 names", Assert.Single(notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_and_documents_that_process_exporter_ignores_are_noted()
    {
        (string toml, string[] notes) = Convert("other: 1\nprocess_names:\n- comm: [x]\n  user: [y]\n---\nprocess_names: []\n");
        Assert.Single(Load(toml).Filters);
        Assert.Equal(["f.yml:1: the key \"other\"", "f.yml:6: a second YAML d", "f.yml:4: the key \"user\""], notes.Select(n => n[..24].TrimEnd(':')));
    }

    [Theory]
    [InlineData("process_names:\n")]
    [InlineData("process_names: []")]
    public void No_matcher_is_no_filter(string yaml) => Assert.Empty(Load(Convert(yaml).Toml).Filters);

    [Fact]
    public void Aliases_are_read()
    {
        (string toml, _) = Convert("process_names:\n- comm: &a [x, &b y]\n- comm: *a\n- comm: [*b]\n");
        Assert.Equal(["x,y", "x,y", "y"], Load(toml).Filters.Select(f => string.Join(',', f.Comm)));
    }

    [Theory]
    [InlineData("", 1, 1, "is empty")]
    [InlineData("a: 1", 1, 1, "no key process_names")]
    [InlineData("- a", 1, 1, "must be a mapping, not a list")]
    [InlineData("process_names: x", 1, 16, "process_names must be a list of matchers, not a text")]
    [InlineData("process_names:\n- x", 2, 3, "a matcher must be a mapping, not a text")]
    [InlineData("process_names:\n- name: x", 2, 3, "none of comm, exe and cmdline")]
    [InlineData("process_names:\n- coom: [x]", 2, 3, "did you mean")]
    [InlineData("process_names:\n- comm: x", 2, 9, "comm must be a list, not a text")]
    [InlineData("process_names:\n- comm: [[x]]", 2, 10, "comm must be a list of texts, not a list")]
    [InlineData("process_names:\n- {comm: [x], name: [y]}", 2, 21, "name must be a text, not a list")]
    [InlineData("process_names:\n- {comm: [x], name: '{{.Comm'}", 2, 21, "close it")]
    [InlineData("process_names:\n- {comm: [x], name: '{{}}'}", 2, 21, "empty {{}}")]
    [InlineData("process_names:\n- comm: [x]\n  comm: [y]", 3, 3, "already defined at line 2")]
    [InlineData("process_names:\n\t- comm: [x]", 2, 1, "write spaces")]
    [InlineData("process_names: [", 2, 1, "not valid YAML")]
    [InlineData("process_names:\n- comm: *none", 2, 9, "has no anchor before it")]
    [InlineData("process_names:\n- &a\n  comm: [x]\n- {<<: *a, exe: [y]}", 4, 4, "merge key")]
    [InlineData("process_names:\n- ? [a]\n  : b", 2, 5, "a key must be plain text")]
    [InlineData("process_names: &a [*a]", 1, 20, "has no anchor before it")]
    [InlineData("process_names:\n- comm: [\"\\uD800\"]", 2, 10, "")]
    public void An_invalid_file_is_an_error_with_its_position(string yaml, int line, int column, string message)
    {
        InvalidYamlException error = Assert.Throws<InvalidYamlException>(() => Convert(yaml));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal((line, column), (error.Position.Line, error.Position.Column));
    }

    [Fact]
    public void A_byte_that_is_not_UTF_8_is_an_error_with_its_position()
    {
        InvalidYamlException error = Assert.Throws<InvalidYamlException>(() => ProcessExporterConfig.Read("a\nb\xFF"u8[..3].ToArray().Append((byte)0xFF).ToArray()));
        Assert.Equal(new TomlPosition(2, 2), error.Position);
        Assert.Contains("0xFF", error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> HostileFiles => new()
    {
        { "nested lists", "process_names: " + new string('[', 500_000) },
        { "nested mappings", string.Concat(Enumerable.Range(0, 1000).Select(i => new string(' ', i) + "a:\n")) },
        { "nested mappings in flow style", string.Concat(Enumerable.Repeat("{a: ", 200_000)) },
        { "aliases of aliases", "a: &a [x, x]\n" + string.Concat(Enumerable.Range(1, 25).Select(i => $"{(char)('a' + i)}: &{(char)('a' + i)} [*{(char)('a' + i - 1)}, *{(char)('a' + i - 1)}]\n")) + "process_names: *z\n" },
        { "a key made of aliases", "a: &a [x, x]\n? *a\n: b\n" },
        { "one long text many times", $"process_names:\n- comm: [&a {new string('x', 100_000)}{string.Concat(Enumerable.Repeat(", *a", 100_000))}]\n" },
        { "many quotes", "process_names:\n- comm: [\"" + new string('\'', 900_000) },
        { "question marks", string.Concat(Enumerable.Repeat("? ", 300_000)) },
        { "dashes", string.Concat(Enumerable.Repeat("- ", 300_000)) },
        { "anchors", string.Concat(Enumerable.Repeat("&a ", 300_000)) },
        { "NULs", new string('\0', 500_000) },
    };

    [Theory]
    [MemberData(nameof(HostileFiles))]
    public void A_hostile_file_is_refused_in_bounded_time(string what, string yaml)
    {
        long start = Stopwatch.GetTimestamp();
        InvalidYamlException error = Assert.Throws<InvalidYamlException>(() => Convert(yaml));
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(10), what);
        Assert.True(error.Message.Length < 1000, error.Message);
    }

    [Fact]
    public void Filters_that_are_longer_than_the_loader_takes_are_refused()
    {
        string yaml = "process_names:\n" + string.Concat(Enumerable.Range(0, 10_000).Select(i => $"- comm: [a{i}]\n"));
        Assert.Null(ConvertCommand.Convert(ProcessExporterConfig.Read(Encoding.UTF8.GetBytes(yaml)), "f.yml"));
    }

    [Fact]
    public void Whatever_is_printed_loads()
    {
        Random random = new(20261126);
        string[] texts = ["a", "", " ", "*", "[", "{a,b}", "\\", "(", "(?P<n>x)", "(?i)é", "\\Q[\\E", "[[:alpha:]]", "a{,3}", "$(x)", "'", "\"", "\u202e", "\u0001", "\U0001F600", "{{.Comm}}", "{{.Matches.n}}", "# x", "\n[web]\nlisten = 1", "a/b", "x\ty", "\\pL\\x{41}\\<"];
        for (int i = 0; i < 500; i++)
        {
            StringBuilder yaml = new("process_names:\n");
            for (int m = random.Next(1, 4); m > 0; m--)
            {
                yaml.Append(CultureInfo.InvariantCulture, $"- name: {Next()}\n  comm: [{Next()}, {Next()}]\n");
                if (random.Next(2) == 0)
                    yaml.Append(CultureInfo.InvariantCulture, $"  exe: [{Next()}]\n");
                if (random.Next(2) == 0)
                    yaml.Append(CultureInfo.InvariantCulture, $"  cmdline: [{Next()}, {Next()}]\n");
            }
            Load(Convert(yaml.ToString(), "f\u202e\n.yml").Toml);
        }

        string Next() => "\"" + string.Concat((texts[random.Next(texts.Length)] + texts[random.Next(texts.Length)]).EnumerateRunes().Select(r => $"\\U{r.Value:X8}")) + "\"";
    }

    [Fact]
    public async Task The_command_prints_filters_and_notes()
    {
        using TempConfig file = new("process_names:\n- comm: [x]\n");
        (int code, string output, string error) = await Daemon.RunAsync(["convert", file.Path]);
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(["x"], Assert.Single(Load(output).Filters).Comm);
        file.Write("process_names:\n- comm: [x]\n  colour: red\n");
        (code, output, error) = await Daemon.RunAsync(["convert", file.Path]);
        Assert.Equal((1, $"{file.Path}:3: not carried over: the key \"colour\": process-exporter does not know it either\n"), (code, error));
        Assert.Equal(["x"], Assert.Single(Load(output).Filters).Comm);
        Assert.Contains("# Not carried over: the key \"colour\"", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_command_prints_one_line_for_a_file_that_it_cannot_convert()
    {
        using TempConfig file = new("process_names:\n- comm: x\n");
        Assert.Equal(
            (78, "", $"{file.Path}:2:9: comm must be a list, not a text: write each item on its own line after \"- \"\n"), await Daemon.RunAsync(["convert", file.Path]));
        file.Write(new string('#', 10_000_000));
        Assert.Equal((1, "", $"{file.Path}: the file is longer than 1048576 bytes\n"), await Daemon.RunAsync(["convert", file.Path]));
        Assert.Equal((1, "", "/no/such/file.yml: no such file\n"), await Daemon.RunAsync(["convert", "/no/such/file.yml"]));
    }

    private static FilterConfig Filter(string matcher) => Filter(matcher, out _);

    private static FilterConfig Filter(string matcher, out string[] notes)
    {
        (string toml, notes) = Convert($"process_names:\n- {matcher}\n");
        return Assert.Single(Load(toml).Filters);
    }

    private static (string Toml, string[] Notes) Convert(string yaml, string file = "f.yml")
    {
        (string toml, IReadOnlyList<ConversionNote> notes) = ConvertCommand.Convert(ProcessExporterConfig.Read(Encoding.UTF8.GetBytes(yaml)), file)!.Value;
        return (toml, [.. notes.Select(n => $"{file}:{n.Line}: {n.Message}")]);
    }

    private static ExporterConfig Load(string toml)
    {
        ConfigResult result = ConfigLoader.Parse(Encoding.UTF8.GetBytes(toml), "", new ConfigOverrides());
        Assert.Empty(result.Errors.Select(e => $"{e}\n{toml}"));
        return result.Config!;
    }
}
