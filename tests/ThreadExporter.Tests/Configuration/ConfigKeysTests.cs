using System.Text;
using System.Text.RegularExpressions;
using ThreadExporter.Configuration;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Configuration;

/// <summary>The loader and the shipped file agree with the table of keys.</summary>
public partial class ConfigKeysTests
{
    private const string Users = "web.basic_auth_users";

    public static TheoryData<string> Names => [.. ConfigKeys.All.Select(k => k.Name)];

    private static string Shipped { get; } = File.ReadAllText(Repository.File("etc/thread-exporter.toml"));

    private static ConfigResult Parse(string text) => ConfigLoader.Parse(Encoding.UTF8.GetBytes(text), "x.toml", new ConfigOverrides());

    private static ConfigKey Find(string name) => ConfigKeys.All.Single(k => k.Name == name);

    private static string Mark(ConfigKey key) => key.NeedsRestart ? "restart" : "reload";

    /// <summary>A file with this one key.</summary>
    private static string FileWith(ConfigKey key, string value)
    {
        string filter = key.Table.StartsWith("filter", StringComparison.Ordinal) ? "[[filter]]\n" + (key.Name == "filter.match" ? "" : "match = 'x'\n") : "";
        string table = key.Table == "filter" ? "" : $"[{key.Table}]\n";
        return $"{filter}{table}{key.LastName} = {value}\n";
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_loader_reads_the_key(string name)
    {
        // No key accepts a time of day, so a key that is read reports an error.
        ConfigError error = Assert.Single(Parse(FileWith(Find(name), "07:32:00")).Errors);
        Assert.StartsWith(name + " must be ", error.Message, StringComparison.Ordinal);
        Assert.EndsWith(" not a time" + (name == Users ? $": write [{Users}]" : ""), error.Message, StringComparison.Ordinal);
        Assert.Equal(name, error.Key);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_default_is_that_of_the_loader(string name)
    {
        ConfigKey key = Find(name);
        if (key.Default.Length == 0)
            return;
        (ConfigResult? with, ConfigResult? without) = (Parse(FileWith(key, key.Default)), Parse(key.Table.StartsWith("filter", StringComparison.Ordinal) ? "[[filter]]\nmatch = 'x'\n" : ""));
        Assert.Empty(with.Errors);
        Assert.Equal(Render(without.Config!), Render(with.Config!));
    }

    // Arrays and regular expressions are equal only by reference, so compare their text.
    private static string Render(object? value) => value switch
    {
        null => "null",
        string text => $"\"{text}\"",
        System.Collections.IEnumerable items => $"[{string.Join(", ", items.Cast<object>().Select(Render))}]",
        _ when value.GetType().Namespace != typeof(ExporterConfig).Namespace || value.GetType().IsEnum => FormattableString.Invariant($"{value}"),
        _ => $"{{ {string.Join(", ", value.GetType().GetProperties().Select(p => $"{p.Name} = {Render(p.GetValue(value))}"))} }}",
    };

    [Fact]
    public void The_shipped_file_loads_and_watches_the_exporter_itself()
    {
        ConfigResult result = Parse(Shipped);
        Assert.Empty(result.Errors);
        Assert.Equal(["thread-exporter"], Assert.Single(result.Config!.Filters).MatchNames);
        ExporterConfig defaults = new() { Filters = result.Config.Filters };
        Assert.Equal(Render(defaults), Render(result.Config));
    }

    [Fact]
    public void The_commented_out_parts_of_the_shipped_file_load_too()
    {
        string all = CommentedOut().Replace(Shipped, "$1").Replace("prometheus = ", "# prometheus = ", StringComparison.Ordinal);
        ConfigResult result = Parse(all);
        Assert.Empty(result.Errors);
        Assert.Equal("--instance (\\S+)", Assert.Single(result.Config!.Filters).Daemon!.ToString());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_shipped_file_shows_the_key_with_mark_help_and_default(string name)
    {
        ConfigKey key = Find(name);
        string comment = $"# {Mark(key)}: {key.Help}\n";
        Assert.Equal(1, Shipped.Split(comment).Length - 1);
        (string before, string after) = (Shipped[..Shipped.IndexOf(comment, StringComparison.Ordinal)], Shipped[(Shipped.IndexOf(comment, StringComparison.Ordinal) + comment.Length)..]);
        Assert.Equal(name == Users ? Users : key.Table, Header().Matches(before)[^1].Groups[1].Value);
        string line = after[..after.IndexOf('\n', StringComparison.Ordinal)];
        if (name == Users)
            Assert.Equal("# prometheus = \"$2y$10$…\"", line);
        else if (key.Default.Length == 0)
            Assert.Matches($"^{(name == "filter.match" ? "" : "# ")}{key.LastName} = .", line);
        else
            Assert.Equal($"{(key.Table.StartsWith("filter", StringComparison.Ordinal) ? "# " : "")}{key.LastName} = {key.Default}", line);
    }

    [Fact]
    public void Names_are_unique_and_help_fits_a_table()
    {
        Assert.Equal(ConfigKeys.All.Length, ConfigKeys.All.Select(k => k.Name).Distinct().Count());
        Assert.All(ConfigKeys.All, k => Assert.DoesNotContain('|', k.Help + k.Default + k.Type));
    }

    [GeneratedRegex(@"^(?:# )?\[+([a-z_.]+)\]+$", RegexOptions.Multiline)]
    private static partial Regex Header();

    [GeneratedRegex(@"^# (\[|[a-z_]+ = )", RegexOptions.Multiline)]
    private static partial Regex CommentedOut();
}
