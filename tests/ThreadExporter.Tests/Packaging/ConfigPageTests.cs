using System.Text;
using System.Text.RegularExpressions;
using ThreadExporter.Configuration;

namespace ThreadExporter.Tests.Packaging;

/// <summary>thread-exporter.toml(5) against the table of keys and against the loader.</summary>
public sealed partial class ConfigPageTests
{
    private sealed record Entry(string Key, string Default, bool NeedsRestart, string Type, string Text);

    private static readonly Entry[] Page = [.. ReadPage()];

    [Fact]
    public void It_has_every_key_once_with_its_default_mark_and_type_and_no_other()
    {
        IEnumerable<string> documented = Page.Select(e => $"{e.Key} = {e.Default} ({Mark(e.NeedsRestart)}), {e.Type}");
        IEnumerable<string> real = ConfigKeys.All.Select(k => $"{k.Name} = {k.Default} ({Mark(k.NeedsRestart)}), {k.Type}");
        Assert.Equal(real.Order(StringComparer.Ordinal), documented.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Its_bounds_are_those_of_the_loader()
    {
        List<string> real = [];
        foreach (ConfigKey key in ConfigKeys.All)
        {
            string? tooMuch = key.Type.Split(' ')[0] switch
            {
                "integer" => "9223372036854775807",
                "duration" => "\"99999999h\"",
                "size" => "\"99999999GiB\"",
                _ => null,
            };
            if (tooMuch is not null)
                real.Add($"{key.Name} {Bounds().Match(ErrorOf(key, tooMuch)).Value}");
        }
        IEnumerable<string> documented = Page.Where(e => Bounds().IsMatch(e.Text)).Select(e => $"{e.Key} {Bounds().Match(e.Text).Value.ToLowerInvariant()}");
        Assert.Equal(real.Select(r => r.ToLowerInvariant()).Order(StringComparer.Ordinal), documented.Select(d => d.ToLowerInvariant()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Its_choices_are_those_of_the_loader()
    {
        int checkedKeys = 0;
        foreach (ConfigKey key in ConfigKeys.All.Where(k => k.Type is "string" or "list of strings" && k.Name is not ("filter.match" or "filter.name")))
        {
            string error = ErrorOf(key, key.Type == "string" ? "\"no such choice\"" : "[\"no such choice\"]");
            if (!error.Contains("must be one of", StringComparison.Ordinal) && !error.Contains("must contain only", StringComparison.Ordinal))
                continue;
            IEnumerable<string> real = Quoted().Matches(error).Select(m => m.Value).Where(v => v != "\"no such choice\"");
            IEnumerable<string> documented = Quoted().Matches(Page.Single(e => e.Key == key.Name).Text).Select(m => m.Value);
            Assert.Equal(real.Order(StringComparer.Ordinal), documented.Distinct().Order(StringComparer.Ordinal));
            checkedKeys++;
        }
        Assert.True(checkedKeys >= 7, $"only {checkedKeys} keys have a message with their choices");
    }

    [Fact]
    public void The_keys_it_names_as_needed_for_a_match_are_those_of_the_loader()
    {
        ConfigResult nothing = ConfigLoader.Parse("[[filter]]\nname = \"x\"\n"u8, "f", new ConfigOverrides());
        string list = Assert.Single(nothing.Errors).Message.Split("at least one of ")[1];
        string section = string.Join('\n', ManPage.ConfigFile.Lines.SkipWhile(l => l != ".Ss Which filter owns a process").TakeWhile(l => l != ".Pp"));
        Assert.Equal(list.Split(", "), NeededKey().Matches(section).SelectMany(m => m.Groups[1].Value.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries)));
    }

    [Fact]
    public void Keys_that_its_text_points_to_exist()
    {
        string both = ManPage.Command.Source + ManPage.ConfigFile.Source;
        string[] pointers = [.. Pointer().Matches(both).Select(m => m.Groups[1].Value)];
        Assert.NotEmpty(pointers);
        Assert.Empty(pointers.Except(ConfigKeys.All.Select(k => k.Name)));
    }

    [Fact]
    public void Its_examples_are_valid_configurations()
    {
        string[] examples = [.. ManPage.ConfigFile.Examples];
        Assert.True(examples.Length >= 5);
        foreach (string example in examples)
            Assert.Empty(ConfigLoader.Parse(Encoding.UTF8.GetBytes(example), "example", new ConfigOverrides()).Errors);
    }

    private static string Mark(bool needsRestart) => needsRestart ? "restart" : "reload";

    private static string ErrorOf(ConfigKey key, string value)
    {
        string table = key.Table switch
        {
            "filter" => "[[filter]]\nmatch = \"x\"",
            "filter.threads" => "[[filter]]\nmatch = \"x\"\n[filter.threads]",
            string other => $"[{other}]",
        };
        ConfigResult result = ConfigLoader.Parse(Encoding.UTF8.GetBytes($"{table}\n{key.LastName} = {value}\n"), "f", new ConfigOverrides());
        return result.Errors.Length == 0 ? "" : Assert.Single(result.Errors).Message;
    }

    private static IEnumerable<Entry> ReadPage()
    {
        string? table = null;
        string[] lines = ManPage.ConfigFile.Lines;
        foreach (string line in lines)
        {
            if (line.StartsWith(".Sh ", StringComparison.Ordinal))
                table = null;
            else if (TableHeading().Match(line) is { Success: true } heading)
                table = heading.Groups[1].Value;
            else if (table is not null && Key().Match(line) is { Success: true } key)
                yield return ReadEntry(table, line, key);
            else
                Assert.False(table is not null && line.StartsWith(".It ", StringComparison.Ordinal), $"not understood: {line}");
        }
    }

    private static Entry ReadEntry(string table, string line, Match key)
    {
        // Some last names are in two tables, so search the body from the heading of the table.
        string[] fromTable = [.. ManPage.ConfigFile.Lines.SkipWhile(l => !(TableHeading().Match(l) is { Success: true } m && m.Groups[1].Value == table))];
        string[] body = [.. fromTable.SkipWhile(l => l != line).Skip(1).TakeWhile(l => !l.StartsWith(".It ", StringComparison.Ordinal) && l != ".El").Select(ManPage.Plain)];
        string type = body[0];
        Assert.StartsWith("Type: ", type, StringComparison.Ordinal);
        return new Entry(
            $"{table}.{key.Groups[1].Value}", ManPage.Plain(key.Groups[2].Value), key.Groups[3].Value == "restart",
            type["Type: ".Length..].TrimEnd('.'), string.Join('\n', body));
    }

    [GeneratedRegex(@"^\.Ss \[{1,2}([a-z.]+)\]{1,2}$")]
    private static partial Regex TableHeading();

    [GeneratedRegex(@"^\.It Cm ([a-z_]+)(?: No = (\S+))? Pq (reload|restart)$")]
    private static partial Regex Key();

    [GeneratedRegex(@"[Ff]rom [0-9]\w* to [0-9]\w*")]
    private static partial Regex Bounds();

    [GeneratedRegex(@"""[^""]+""")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"^\.Cm ([a-z, ]+?),?$", RegexOptions.Multiline)]
    private static partial Regex NeededKey();

    [GeneratedRegex(@"^\.Cm ([a-z]+\.[a-z_.]+[a-z])", RegexOptions.Multiline)]
    private static partial Regex Pointer();
}
