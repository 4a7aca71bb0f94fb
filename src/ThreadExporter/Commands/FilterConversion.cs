using System.Collections.Immutable;
using ThreadExporter.Text;

namespace ThreadExporter.Commands;

/// <summary>Writes a matcher of process-exporter as a filter.</summary>
internal sealed class FilterConversion(TomlFilterWriter writer)
{
    /// <summary>The base name of the first argument, which process-exporter takes for the program.</summary>
    private const string BaseNameGroup = "^(?:[^ ]*/)?([^ /]+)";

    private const int LongestName = 60;

    private readonly Dictionary<string, int> _names = new(StringComparer.Ordinal);

    public void Write(ProcessMatcher matcher)
    {
        int line = matcher.Position.Line;
        ImmutableArray<NamePart> name = GroupNameTemplate.Parse(matcher.Name?.Value ?? GroupNameTemplate.Default);
        writer.BeginFilter(FormattableString.Invariant($"line {line}"));
        foreach (SourceText key in matcher.UnknownKeys)
            writer.Note(key.Line, $"the key {Printable.Quote(key.Value)}: process-exporter does not know it either");
        WriteName(matcher, name);
        if (matcher.Comm is { } comm)
            WriteComm(comm, line);
        WriteCommandLine(matcher);
        WriteDaemon(matcher, name);
        // A group name with the pid is that of one process, whose series have the pid without groups.
        if (!name.Any(p => p is { Kind: NamePartKind.Field, Text: "PID" or "StartTime" }))
            writer.Set("group", "true", line);
        writer.Set("children", "true", line);
        writer.EndFilter(isUsed: matcher is not ({ Comm.IsEmpty: true } or { Exe.IsEmpty: true }));
    }

    private void WriteName(ProcessMatcher matcher, ImmutableArray<NamePart> parts)
    {
        int line = matcher.Name?.Line ?? matcher.Position.Line;
        bool isLiteral = parts.All(p => p.Kind == NamePartKind.Literal);
        string text = string.Concat(parts.Select(p => p.Kind == NamePartKind.Literal ? p.Text : "*")).Trim();
        if (!text.Any(char.IsLetterOrDigit))
            text = string.Join(", ", (matcher.Comm ?? matcher.Exe ?? matcher.Cmdline ?? []).Select(t => t.Value)).Trim();
        if (text.Length > LongestName)
            text = text[..(char.IsHighSurrogate(text[LongestName - 1]) ? LongestName - 1 : LongestName)].Trim();
        if (text.Length == 0)
            text = "matcher";
        string unique = text;
        for (int i = 2; !_names.TryAdd(unique, matcher.Position.Line); i++)
            unique = FormattableString.Invariant($"{text} ({i})");
        writer.Set("name", TomlFilterWriter.Quote(unique), line);
        if (!isLiteral)
            return;
        if (unique != text)
        {
            writer.Note(line, FormattableString.Invariant(
                $"name: the matcher at line {_names[text]} has the group name {Printable.Quote(text)} too; filters do not share series: add them in the query"));
        }
        if ((matcher.Comm ?? matcher.Exe) is { Length: > 1 } names)
        {
            writer.Note(line, FormattableString.Invariant(
                $"name: one group for {names.Length} names; each pname has its own series here: add them in the query"));
        }
    }

    private void WriteComm(ImmutableArray<SourceText> comm, int line)
    {
        if (comm.IsEmpty)
            writer.Note(line, "comm is an empty list, with which the matcher matches nothing");
        else
            writer.Set("comm", TomlFilterWriter.List(comm.Select(c => EscapeGlob(c.Value))), comm[0].Line);
    }

    private void WriteCommandLine(ProcessMatcher matcher)
    {
        int line = matcher.Position.Line;
        if (matcher.Exe is { IsEmpty: true })
            writer.Note(line, "exe is an empty list, with which the matcher matches nothing");
        string? program = matcher.Exe is { IsEmpty: false } exe ? FirstArgument(exe) : null;
        // What matches every command line adds nothing to the others.
        ImmutableArray<SourceText> all = matcher.Cmdline ?? [];
        SourceText[] expressions = [.. all.Where(e => e.Value is not ("" or ".*" or ".+" or "^.*" or "^.+" or "^.*$" or "^.+$"))];
        if (program is null && expressions.Length == 0 && !all.IsEmpty)
            expressions = [all.FirstOrDefault(e => e.Value.Contains('+', StringComparison.Ordinal), new(".*", all[0].Line))];
        foreach (SourceText more in expressions.Skip(1))
            writer.Note(more.Line, $"cmdline {Printable.Quote(more.Value)}: a filter has one expression, so this one matches more processes than the matcher");
        if (expressions.Length == 0)
        {
            if (program is not null)
                writer.Set("cmdline", TomlFilterWriter.Quote($"{program}(?: |$)"), matcher.Exe!.Value[0].Line);
            else if (matcher.Cmdline is not null && matcher.Comm is null)
                writer.Set("comm", TomlFilterWriter.List(["*"]), line);
            return;
        }
        SourceText first = expressions[0];
        GoRegex regex = new(first.Value);
        if (program is null)
        {
            writer.Set("cmdline", TomlFilterWriter.Quote(regex.Text), first.Line);
        }
        else if (regex.IsAnchored)
        {
            writer.Note(matcher.Exe!.Value[0].Line, "exe: process-exporter compares the first argument, the key exe the path of the program; for processes of other users it needs CAP_SYS_PTRACE");
            writer.Set("exe", TomlFilterWriter.List(matcher.Exe.Value.Select(e => (e.Value.Contains('/', StringComparison.Ordinal) ? "" : "*/") + EscapeGlob(e.Value))), matcher.Exe.Value[0].Line);
            writer.Set("cmdline", TomlFilterWriter.Quote(regex.Text), first.Line);
        }
        else
        {
            writer.Note(first.Line, $"cmdline {Printable.Quote(first.Value)} beside exe: they are one expression here, which looks for it after the first argument only");
            // `(?s: …)`: an argument may contain line breaks. An expression that starts with a blank finds the one after the first argument.
            bool hasBlank = first.Value.StartsWith(' ') || (first.Value.StartsWith("\\s", StringComparison.Ordinal) && first.Value is not [_, _, '*' or '?' or '{', ..]);
            writer.Set("cmdline", TomlFilterWriter.Quote($"{program}(?s: .*){(hasBlank ? "?" : "")}(?:{regex.Text})"), first.Line);
        }
    }

    private void WriteDaemon(ProcessMatcher matcher, ImmutableArray<NamePart> parts)
    {
        int line = matcher.Name?.Line ?? matcher.Position.Line;
        // The most telling one: there is one label.
        NamePart source = parts.FirstOrDefault(p => p.Kind == NamePartKind.Match);
        if (source.Kind != NamePartKind.Match)
            source = parts.FirstOrDefault(p => p is { Kind: NamePartKind.Field, Text: "ExeFull" });
        if (source.Source is null)
            source = parts.FirstOrDefault(p => p is { Kind: NamePartKind.Field, Text: "ExeBase" });
        foreach (NamePart part in parts.Where(p => p.Source != source.Source))
        {
            if (Describe(part) is { } reason)
                writer.Note(line, $"name: {part.Source}: {reason}");
        }
        if (source.Kind == NamePartKind.Match)
        {
            // A group of a later expression replaces the one of that name before it.
            GoRegex? regex = (matcher.Cmdline ?? []).Reverse().Select(e => new GoRegex(e.Value, source.Text)).FirstOrDefault(r => r.HasCapture);
            if (regex is null)
                writer.Note(line, $"name: {source.Source}: no cmdline has a group of that name");
            else
                writer.Set("daemon", TomlFilterWriter.Quote(regex.Text), line);
        }
        else if (source.Source is not null)
        {
            writer.Set("daemon", TomlFilterWriter.Quote(source.Text == "ExeFull" ? "^([^ ]+)" : BaseNameGroup), line);
        }
    }

    /// <summary>Null when the part of the name needs no label: it is one already, or is in the name of the filter.</summary>
    private static string? Describe(NamePart part) => part switch
    {
        { Kind: NamePartKind.Literal } or { Kind: NamePartKind.Field, Text: "Comm" or "PID" or "StartTime" } => null,
        { Kind: NamePartKind.Match } or { Kind: NamePartKind.Field, Text: "ExeBase" or "ExeFull" } => "a filter has one label for it, daemon, which has another part of the name",
        { Kind: NamePartKind.Field, Text: "Username" } => "no label has the user: write one filter per user, with the key user",
        { Kind: NamePartKind.Field, Text: "Cgroups" } => "the nearest is labels = [\"unit\", \"container_id\", \"pod_uid\"]",
        { Kind: NamePartKind.Field, Text: "Cwd" } => "no label has the working directory",
        { Kind: NamePartKind.Field } => "process-exporter has no such field either",
        _ => "templates are not supported",
    };

    /// <summary>An expression for the first argument, which process-exporter takes for the program: all of it, or its base name.</summary>
    private static string FirstArgument(ImmutableArray<SourceText> exe)
    {
        string[] paths = [.. exe.Where(e => e.Value.Contains('/', StringComparison.Ordinal)).Select(e => GoRegex.Escape(e.Value))];
        string[] names = [.. exe.Where(e => !e.Value.Contains('/', StringComparison.Ordinal)).Select(e => GoRegex.Escape(e.Value))];
        string[] all = names.Length == 0 ? paths : [$"(?:[^ ]*/)?{Any(names)}", .. paths];
        return $"^{Any(all)}";
    }

    private static string Any(string[] expressions) => expressions.Length == 1 ? expressions[0] : $"(?:{string.Join('|', expressions)})";

    private static string EscapeGlob(string text)
    {
        string escaped = string.Concat(text.Select(c => c is '\\' or '*' or '?' or '[' or '{' ? $"\\{c}" : c.ToString()));
        return escaped is ['!' or '^', ..] ? "\\" + escaped : escaped;
    }
}
