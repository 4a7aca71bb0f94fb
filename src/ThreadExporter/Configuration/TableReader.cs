using System.Collections.Immutable;
using System.Text.RegularExpressions;
using ThreadExporter.Text;
using ThreadExporter.Toml;

namespace ThreadExporter.Configuration;

/// <summary>A converted value, or what is wrong with it: the text that follows the key in the message.</summary>
internal readonly record struct Converted<T>(T Value, string? Error = null);

/// <summary>
/// Reads values from one table. An error is collected with its position, and the fallback is returned in place of the value, so that one pass
/// over the file finds all errors.
/// </summary>
internal sealed class TableReader(TomlTable table, string path, string file, List<ConfigError> errors)
{
    public bool Has(string key) => table.TryGet(key, out _);

    /// <summary>Missing, or written out as its default. An invalid value is neither.</summary>
    public bool IsDefault(string key, string fallback) =>
        !table.TryGet(key, out TomlEntry? entry) || (entry.Value is TomlString text && text.Value == fallback);

    public TomlPosition PositionOf(string key) => table.TryGet(key, out TomlEntry? entry) ? entry.Value.Position : table.Position;

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<TomlEntry> Entries => table.Entries;

    public void Error(TomlPosition position, string name, string message) => errors.Add(new(file, position, name, message));

    // A message that starts with the quoted value reads better after a colon.
    private void InvalidValue(TomlPosition position, string name, string error) =>
        Error(position, name, name + (error.StartsWith('"') ? ": " : " ") + error);

    /// <summary>The dotted name of a key of this table.</summary>
    public string Name(string key) => path.Length == 0 ? key : $"{path}.{key}";

    public bool Boolean(string key, bool fallback) =>
        Read<bool>(key, fallback, "true or false", node => node is TomlBoolean boolean ? new(boolean.Value) : null);

    public int Integer(string key, int fallback, int min, int max) =>
        Read<int>(key, fallback, "an integer", node => ToInteger(node, min, max));

    /// <summary>More than 0, at most 1.</summary>
    public double Fraction(string key, double fallback) => Read<double>(key, fallback, "a number", node => node switch
    {
        TomlFloat { Value: > 0 and <= 1 } number => new(number.Value),
        TomlInteger { Value: 1 } => new(1),
        TomlFloat or TomlInteger => new(fallback, "must be greater than 0 and at most 1"),
        _ => null,
    });

    public string String(string key, string fallback, Func<string, string?> validate) =>
        Read<string>(key, fallback, "a string", node => node is TomlString text ? new(text.Value, validate(text.Value)) : null);

    /// <summary>An absolute path, or the empty string when that is the fallback.</summary>
    public string Path(string key, string fallback) =>
        String(key, fallback, text => text == fallback ? null : ConfigText.GetPathError(text));

    public TimeSpan Duration(string key, TimeSpan fallback, string min, string max) =>
        Read<TimeSpan>(key, fallback, "a duration in quotes, such as \"5s\"", node =>
        {
            if (node is not TomlString text)
                return null;
            if (!ConfigText.TryParseDuration(text.Value, out TimeSpan duration))
                return new(fallback, $"must be a duration such as \"100ms\", \"5s\", \"1m\" or \"1h\", not {Printable.Quote(text.Value)}");
            _ = ConfigText.TryParseDuration(min, out TimeSpan least);
            _ = ConfigText.TryParseDuration(max, out TimeSpan most);
            return new(duration, Range(duration < least, duration > most, min, max));
        });

    /// <summary>In bytes.</summary>
    public long Size(string key, long fallback, string min, string max) =>
        Read<long>(key, fallback, "a size in quotes, such as \"10MiB\"", node =>
        {
            if (node is not TomlString text)
                return null;
            if (!ConfigText.TryParseSize(text.Value, out long size))
                return new(fallback, $"must be a size such as \"512KiB\", \"10MiB\", \"1GiB\" or \"4096B\", not {Printable.Quote(text.Value)}");
            _ = ConfigText.TryParseSize(min, out long least);
            _ = ConfigText.TryParseSize(max, out long most);
            return new(size, Range(size < least, size > most, min, max));
        });

    /// <param name="key">The key.</param>
    /// <param name="fallback">The default.</param>
    /// <param name="choices">The valid texts.</param>
    /// <param name="aliases">Texts that are accepted but not suggested.</param>
    public T Choice<T>(string key, T fallback, ImmutableArray<(string Text, T Value)> choices, params ReadOnlySpan<(string Text, T Value)> aliases)
    {
        ImmutableArray<(string Text, T Value)> all = choices.AddRange(aliases);
        return Read<T>(key, fallback, "a string", node =>
        {
            if (node is not TomlString text)
                return null;
            foreach ((string Text, T Value) choice in all)
            {
                if (choice.Text == text.Value)
                    return new(choice.Value);
            }
            return new(fallback, InvalidChoice(text.Value, [.. choices.Select(c => c.Text)]));
        });
    }

    /// <summary>The message about a text that is not one of <paramref name="known"/>.</summary>
    public static string InvalidChoice(string text, ImmutableArray<string> known)
    {
        string list = string.Join(", ", known.Select(k => $"\"{k}\""));
        return $"must be one of {list}, not {Printable.Quote(text)}{SpellingSuggestion.Hint(text, known)}";
    }

    /// <summary>One item or a list of items, without duplicates.</summary>
    public ImmutableArray<T> OneOrMore<T>(
        string key, ImmutableArray<T> fallback, string one, string many, Func<TomlNode, Converted<T>?> convert, bool mayBeEmpty = false) =>
        Read<ImmutableArray<T>>(key, fallback, $"{one} or a list of {many}", node =>
        {
            IEnumerable<TomlNode> items = node is TomlArray { Items: var all } ? all : [node];
            ImmutableArray<T>.Builder values = ImmutableArray.CreateBuilder<T>();
            HashSet<T> seen = new();
            bool hasErrors = false;
            foreach (TomlNode item in items)
            {
                if (convert(item) is not { } converted)
                {
                    if (ReferenceEquals(item, node))
                        return null;
                    converted = new(default!, $"must contain only {many}, not {item.TypeName}");
                }
                if (converted.Error is not null)
                {
                    InvalidValue(item.Position, Name(key), converted.Error);
                    hasErrors = true;
                }
                else if (seen.Add(converted.Value))
                {
                    values.Add(converted.Value);
                }
            }
            if (hasErrors)
                return new(fallback);
            return new(values.ToImmutable(), values.Count == 0 && !mayBeEmpty ? "must not be an empty list: leave the key out" : null);
        });

    public ImmutableArray<string> Strings(
        string key, ImmutableArray<string> fallback, Func<string, string?>? validate = null, bool mayBeEmpty = false) =>
        OneOrMore<string>(key, fallback, "a string", "strings", node => node is TomlString text
            ? new(text.Value, text.Value.Length == 0 ? "must not contain an empty string" : validate?.Invoke(text.Value))
            : null, mayBeEmpty);

    /// <param name="key">The key.</param>
    /// <param name="fallback">The default.</param>
    /// <param name="hasUnitEscapes">See <see cref="GlobParser"/>.</param>
    /// <param name="mayBeEmpty">An empty list is not an error.</param>
    public ImmutableArray<string> Globs(string key, ImmutableArray<string> fallback, bool hasUnitEscapes = false, bool mayBeEmpty = false) =>
        Strings(key, fallback, text => GlobParser.GetError(text, hasUnitEscapes), mayBeEmpty);

    /// <summary>Globs that are compared with a path.</summary>
    public ImmutableArray<string> PathGlobs(string key) =>
        Strings(key, [], text => ConfigText.GetControlCharacterError(text) ?? GlobParser.GetError(text));

    public ImmutableArray<int> Integers(string key, int min, int max) =>
        OneOrMore<int>(key, [], "an integer", "integers", node => ToInteger(node, min, max));

    /// <param name="key">The key.</param>
    /// <param name="noGroupError">The message when the expression has no group; null: it needs none.</param>
    public Regex? Expression(string key, string? noGroupError = null) => Read<Regex?>(key, null, "a string", node =>
    {
        if (node is not TomlString text)
            return null;
        if (text.Value.Length == 0)
            return new(null, "must not be empty: leave the key out");
        if (RegexDialect.GetError(text.Value, takesFirstGroup: noGroupError is not null) is { } error)
            return new(null, error);
        try
        {
            Regex regex = new(text.Value, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
            return new(regex, regex.GetGroupNumbers().Length > 1 ? null : noGroupError);
        }
        catch (RegexParseException e)
        {
            string what = string.Concat(e.Error.ToString().Select(c => char.IsUpper(c) ? " " + char.ToLowerInvariant(c) : c.ToString()));
            return new(null, FormattableString.Invariant($"is not a valid regular expression:{what} at character {e.Offset}"));
        }
        catch (NotSupportedException)
        {
            // The non-backtracking engine lacks these. It takes linear time, so a hostile command line cannot make it run for minutes.
            return new(null, "uses lookaround, a backreference, an atomic group or very large counts: these are not supported");
        }
    });

    /// <summary>The table <paramref name="key"/>; empty when it is missing or not a table.</summary>
    public TableReader Table(string key)
    {
        TomlTable inner = new(table.Position);
        if (table.TryGet(key, out TomlEntry? entry))
        {
            if (entry.Value is TomlTable found)
                inner = found;
            else
                Error(entry.KeyPosition, Name(key), $"{Name(key)} must be a table, not {entry.Value.TypeName}: write [{Name(key)}]");
        }
        return new(inner, Name(key), file, errors);
    }

    /// <summary>Reports the unknown keys.</summary>
    public void Finish() => Finish([.. ConfigKeys.NamesIn(path)], static key => ConfigKeys.All.FirstOrDefault(k => k.LastName == key)?.Name);

    /// <summary>Reports the keys that are not <paramref name="known"/>.</summary>
    /// <param name="known">The keys of this table.</param>
    /// <param name="elsewhere">Finds the dotted name of a key of another table; null: the file has only one kind of table.</param>
    public void Finish(ImmutableArray<string> known, Func<string, string?>? elsewhere = null)
    {
        foreach (TomlEntry entry in table.Entries.Where(e => !known.Contains(e.Key)))
        {
            string name = Name(ConfigText.Key(entry.Key));
            string hint = SpellingSuggestion.Hint(entry.Key, known);
            if (hint.Length == 0 && elsewhere?.Invoke(entry.Key) is { } other)
                hint = $": did you mean \"{other}\"?";
            bool isTable = entry.Value is TomlTable or TomlArray { TypeName: "an array of tables" };
            Error(entry.KeyPosition, name, (isTable ? $"unknown table [{name}]" : $"unknown key {name}") + hint);
        }
    }

    private T Read<T>(string key, T fallback, string type, Func<TomlNode, Converted<T>?> convert)
    {
        if (!table.TryGet(key, out TomlEntry? entry))
            return fallback;
        string name = Name(key);
        if (convert(entry.Value) is not { } converted)
            Error(entry.Value.Position, name, $"{name} must be {type}, not {entry.Value.TypeName}");
        else if (converted.Error is not null)
            InvalidValue(entry.Value.Position, name, converted.Error);
        else
            return converted.Value;
        return fallback;
    }

    private static Converted<int>? ToInteger(TomlNode node, int min, int max) =>
        node is TomlInteger integer ? new((int)Math.Clamp(integer.Value, min, max), Range(integer.Value < min, integer.Value > max, min, max)) : null;

    private static string? Range<T>(bool isBelow, bool isAbove, T min, T max) =>
        isBelow || isAbove ? FormattableString.Invariant($"must be from {min} to {max}") : null;
}
