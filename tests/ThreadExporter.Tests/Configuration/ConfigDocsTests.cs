using System.Text;
using System.Text.RegularExpressions;
using ThreadExporter.Configuration;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Configuration;

/// <summary>
/// Parts of docs/configuration.md and thread-exporter.toml(5) repeat <see cref="ConfigKeys"/>. With <c>UPDATE_DOCS=1</c> (<c>make docs</c>)
/// the tests update the files. The man page has prose about each key, so add an entry there for a new key first; its name is enough.
/// </summary>
public sealed partial class ConfigDocsTests
{
    private const string Users = "web.basic_auth_users";

    private const string Docs = "docs/configuration.md", Page = "packaging/man/thread-exporter.toml.5";

    [Fact]
    public void The_tables_of_keys_are_up_to_date() =>
        IsUpToDate(Docs, text => Block().Replace(text, m => m.Groups[1].Value + Rows(m.Groups[2].Value) + m.Groups[4].Value));

    [Fact]
    public void The_tables_of_keys_have_every_key_once_in_order_and_no_other()
    {
        string tables = string.Concat(Block().Matches(File.ReadAllText(Repository.File(Docs))).Select(m => m.Groups[3].Value));
        Assert.Equal(ConfigKeys.All.Select(k => k.Name), KeyCell().Matches(tables).Select(m => m.Groups[1].Value));
    }

    [Fact]
    public void The_entries_of_the_man_page_are_up_to_date() => IsUpToDate(Page, Entries);

    private static void IsUpToDate(string file, Func<string, string> render)
    {
        string path = Repository.File(file);
        string text = File.ReadAllText(path);
        string rendered = render(text);
        if (Environment.GetEnvironmentVariable("UPDATE_DOCS") == "1")
            File.WriteAllText(path, rendered);
        else
            Assert.Equal(rendered, text);
    }

    private static string Rows(string table)
    {
        StringBuilder rows = new("| key | type | default | applied by | meaning |\n|---|---|---|---|---|\n");
        foreach (ConfigKey key in ConfigKeys.All.Where(k => k.Name == table || (k.Table == table && k.Name != Users)))
            rows.Append($"| `{key.Name}` | {key.Type} | {(key.Default.Length == 0 ? "" : $"`{key.Default}`")} | {Mark(key)} | {key.Help} |\n");
        return rows.ToString();
    }

    private static string Entries(string page)
    {
        string[] lines = page.Split('\n');
        string table = "";
        for (int i = 0; i < lines.Length; i++)
        {
            if (Heading().Match(lines[i]) is { Success: true } heading)
                table = heading.Groups[1].Value;
            if (Entry().Match(lines[i]) is not { Success: true } entry)
                continue;
            // ConfigPageTests reports an entry that is not a key.
            if (ConfigKeys.All.FirstOrDefault(k => k.Name == $"{table}.{entry.Groups[1].Value}") is not { } key)
                continue;
            lines[i] = $".It Cm {key.LastName} {(key.Default.Length == 0 ? "" : $"No = {Escape(key.Default)} ")}Pq {Mark(key)}";
            string type = $"Type: {Escape(key.Type)}.";
            if (lines[i + 1].StartsWith("Type: ", StringComparison.Ordinal))
                lines[i + 1] = type;
            else
                lines[i] += $"\n{type}\n.br";
        }
        return string.Join('\n', lines);
    }

    private static string Mark(ConfigKey key) => key.NeedsRestart ? "restart" : "reload";

    private static string Escape(string text) => text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("\"", "\\(dq", StringComparison.Ordinal);

    [GeneratedRegex(@"^(<!-- make docs: ([a-z_.]+) -->\n)((?s:.*?))^(<!-- end -->)$", RegexOptions.Multiline)]
    private static partial Regex Block();

    [GeneratedRegex(@"^\| `([a-z_.]+)` \|", RegexOptions.Multiline)]
    private static partial Regex KeyCell();

    [GeneratedRegex(@"^\.Ss \[{1,2}([a-z.]+)\]{1,2}$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"^\.It Cm ([a-z_]+)( |$)")]
    private static partial Regex Entry();
}
