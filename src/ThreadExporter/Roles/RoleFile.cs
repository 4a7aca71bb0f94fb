using System.Collections.Immutable;
using ThreadExporter.Configuration;
using ThreadExporter.Text;
using ThreadExporter.Toml;

namespace ThreadExporter.Roles;

/// <summary>One role file: its keys, their types and bounds. docs/roles.md describes it.</summary>
internal static class RoleFile
{
    /// <summary>TASK_COMM_LEN − 1 (include/linux/sched.h), and what /proc shows of a kernel thread's longer name (proc_task_name in fs/proc/array.c).</summary>
    private const int MaxUserName = 15, MaxKernelName = 63;

    private const int MaxPatterns = 100, LongestName = 60, LongestText = 400, LongestSource = 300;

    private static readonly ImmutableArray<string> RootKeys = ["role"], Keys = ["process", "kernel", "thread", "role", "text", "source"];

    /// <summary>Reads the bytes of a file, which errors call <paramref name="file"/>. Never throws.</summary>
    /// <param name="content">The bytes.</param>
    /// <param name="file">Its path.</param>
    /// <param name="errors">All errors are added here, in the order of the file; without one, the result is complete.</param>
    public static ImmutableArray<Role> Parse(ReadOnlySpan<byte> content, string file, List<ConfigError> errors)
    {
        TomlDocument document = TomlDocument.Parse(content);
        List<ConfigError> found = [.. document.Errors.Select(e => new ConfigError(file, e.Position, "syntax", e.Message))];
        new TableReader(document.Root, "", file, found).Finish(RootKeys);
        ImmutableArray<Role> roles = Read(document.Root, file, found);
        // The key is what network clients see of an error, beside its position: they need to know in which file.
        string name = Path.GetFileName(file);
        errors.AddRange(found.OrderBy(e => e.Position.Line).ThenBy(e => e.Position.Column).Select(e => e with { Key = $"{e.Key} in {name}" }));
        return roles;
    }

    private static ImmutableArray<Role> Read(TomlTable root, string file, List<ConfigError> errors)
    {
        if (!root.TryGet("role", out TomlEntry? entry))
            return [];
        if (entry.Value is not TomlArray array || array.Items.Any(item => item is not TomlTable))
        {
            errors.Add(new(file, entry.KeyPosition, "role", $"role must be an array of tables, not {entry.Value.TypeName}: write [[role]]"));
            return [];
        }
        ImmutableArray<Role>.Builder roles = ImmutableArray.CreateBuilder<Role>();
        foreach (TomlTable table in array.Items.Cast<TomlTable>())
        {
            int before = errors.Count;
            TableReader reader = new(table, "role", file, errors);
            bool kernel = reader.Boolean("kernel", false);
            if (!kernel)
                Require(reader, table, "process", "[\"NAME\"]", ", or kernel = true for kernel threads");
            Require(reader, table, "thread", "[\"NAME\"]");
            Require(reader, table, "role", "\"SHORT NAME\"");
            Require(reader, table, "text", "\"What it does.\"");
            ImmutableArray<string> process = Patterns(reader, "process", static pattern => GlobParser.GetError(pattern));
            ImmutableArray<string> thread = Patterns(reader, "thread", pattern => GetThreadError(pattern, kernel));
            string name = reader.String("role", "", text => GetTextError(text, LongestName));
            string does = reader.String("text", "", text => GetTextError(text, LongestText));
            string source = reader.String("source", "", GetSourceError);
            reader.Finish(Keys);
            if (errors.Count == before)
                roles.Add(new Role(process, kernel, thread) { Name = name, Text = does, Source = source.Length > 0 ? source : null });
        }
        return roles.ToImmutable();
    }

    private static void Require(TableReader reader, TomlTable table, string key, string example, string or = "")
    {
        if (!reader.Has(key))
            reader.Error(table.Position, reader.Name(key), $"{reader.Name(key)} is missing: write {key} = {example}{or}");
    }

    /// <summary>The patterns of a list that is there; empty when it has errors, which are reported.</summary>
    private static ImmutableArray<string> Patterns(TableReader reader, string key, Func<string, string?> validate)
    {
        // default: the list is missing or has errors, and needs no second message.
        ImmutableArray<string> patterns = reader.Strings(key, default, validate, mayBeEmpty: true);
        if (patterns.IsDefault)
            return [];
        if (patterns.IsEmpty)
            reader.Error(reader.PositionOf(key), reader.Name(key), $"{reader.Name(key)} must not be an empty list: write at least one name");
        else if (patterns.Length > MaxPatterns)
            reader.Error(reader.PositionOf(key), reader.Name(key), FormattableString.Invariant($"{reader.Name(key)} must not have more than {MaxPatterns} names: write a second [[role]]"));
        return patterns;
    }

    private static string? GetThreadError(string pattern, bool kernel)
    {
        if (GlobParser.GetError(pattern) is { } error)
            return error;
        int max = kernel ? MaxKernelName : MaxUserName;
        if (GlobParser.MinBytes(pattern) <= max)
            return null;
        // Where it is plain, the whole fix can be shown.
        string fix = pattern.All(c => char.IsAsciiLetterOrDigit(c) || c is ' ' or '-' or '_' or '.' or ':' or '/' or '#') ? Printable.Quote(pattern[..max]) : "less of it";
        return FormattableString.Invariant($"{Printable.Quote(pattern)} never matches: the kernel cuts this name at {max} bytes: write {fix}");
    }

    private static string? GetTextError(string text, int longest)
    {
        if (text.Trim().Length == 0)
            return "must not be empty";
        // Shown on a terminal, on a page and in JSON as it is.
        if (Printable.Of(text) != text)
            return "must be one line of visible characters";
        return text.EnumerateRunes().Count() > longest ? FormattableString.Invariant($"must not be longer than {longest} characters") : null;
    }

    // The page makes a link of it, so the scheme matters.
    private static string? GetSourceError(string text) =>
        text.Length == 0 ? "must not be empty: leave the key out"
        : GetTextError(text, LongestSource) is { } error ? error
        : Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.Scheme is "https" or "http" && !text.Contains(' ', StringComparison.Ordinal) ? null
        : "must be a URL that starts with https:// or http://";
}
