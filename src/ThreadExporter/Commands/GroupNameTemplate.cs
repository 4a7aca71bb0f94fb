using System.Collections.Immutable;
using System.Text.RegularExpressions;
using ThreadExporter.Text;

namespace ThreadExporter.Commands;

internal enum NamePartKind
{
    Literal,
    /// <summary>A field such as <c>{{.Comm}}</c>: its name.</summary>
    Field,
    /// <summary><c>{{.Matches.NAME}}</c> or <c>{{index .Matches "NAME"}}</c>: the name of the group.</summary>
    Match,
    /// <summary>Anything else that a Go template can do.</summary>
    Other,
}

/// <param name="Kind">What it is.</param>
/// <param name="Text">See <see cref="NamePartKind"/>.</param>
/// <param name="Source">As in the file.</param>
internal readonly record struct NamePart(NamePartKind Kind, string Text, string Source);

/// <summary>The key <c>name</c> of process-exporter: a Go template (text/template) that makes the label <c>groupname</c> of a process.</summary>
internal static partial class GroupNameTemplate
{
    /// <summary>What process-exporter takes for a matcher without a name.</summary>
    public const string Default = "{{.ExeBase}}";

    /// <summary>Null, or what is wrong.</summary>
    public static string? GetError(string template)
    {
        string rest = Action().Replace(template, "");
        if (rest.Contains("{{", StringComparison.Ordinal))
            return $"is not a valid template: {Printable.Quote(template)} has {{{{ without }}}}: close it";
        return Parse(template).Any(p => p is { Kind: NamePartKind.Other, Text: "" }) ? "is not a valid template: it has an empty {{}}: write a field, as in {{.Comm}}" : null;
    }

    public static ImmutableArray<NamePart> Parse(string template)
    {
        ImmutableArray<NamePart>.Builder parts = ImmutableArray.CreateBuilder<NamePart>();
        int end = 0;
        foreach (Match action in Action().Matches(template))
        {
            AddLiteral(template[end..action.Index]);
            end = action.Index + action.Length;
            string text = action.Groups[1].Value;
            // A comment has no result.
            if (text.StartsWith("/*", StringComparison.Ordinal))
                continue;
            if (MatchName().Match(text) is { Success: true } match)
                parts.Add(new(NamePartKind.Match, match.Groups[1].Value, action.Value));
            else if (FieldName().Match(text) is { Success: true } field)
                parts.Add(new(NamePartKind.Field, field.Groups[1].Value, action.Value));
            else
                parts.Add(new(NamePartKind.Other, text, action.Value));
        }
        AddLiteral(template[end..]);
        return parts.ToImmutable();

        void AddLiteral(string text)
        {
            if (text.Length > 0)
                parts.Add(new(NamePartKind.Literal, text, text));
        }
    }

    // With a minus the template drops the blanks around the action, which are never part of a useful name.
    [GeneratedRegex(@"\{\{-?\s*(.*?)\s*-?\}\}", RegexOptions.Singleline)]
    private static partial Regex Action();

    [GeneratedRegex(@"^(?:\$?\.Matches\.|index\s+\$?\.Matches\s+[""`])(\w+)[""`]?$")]
    private static partial Regex MatchName();

    [GeneratedRegex(@"^\$?\.([A-Za-z]\w*)$")]
    private static partial Regex FieldName();
}
