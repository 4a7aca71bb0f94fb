using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using ThreadExporter.Configuration;
using ThreadExporter.Text;

namespace ThreadExporter.Commands;

/// <summary>What could not be carried over.</summary>
/// <param name="Line">Its line in the file that is converted.</param>
/// <param name="Message">What it is, and what to do.</param>
internal readonly record struct ConversionNote(int Line, string Message);

/// <summary>Writes <c>[[filter]]</c> tables, each value only when the loader takes it. A note becomes a comment at its place.</summary>
internal sealed class TomlFilterWriter
{
    /// <summary>Keys of which a filter needs one.</summary>
    private static readonly ImmutableArray<string> Selectors = ["comm", "cmdline", "exe"];

    private readonly StringBuilder _text = new();
    private readonly List<string> _lines = [];
    private readonly List<ConversionNote> _notes = [];
    private bool _selects;

    public string Text => _text.ToString();

    public int Length => _text.Length;

    public IReadOnlyList<ConversionNote> Notes => _notes;

    /// <summary>A comment outside of the filters.</summary>
    public void Comment(string text) => _text.Append("# ").Append(Printable.Of(text)).Append('\n');

    /// <summary>What could not be carried over, outside of the filters.</summary>
    public void NoteOutside(int line, string message)
    {
        _notes.Add(new(line, message));
        Comment($"Not carried over: {message}");
    }

    public void BeginFilter(string comment)
    {
        _lines.Clear();
        _selects = false;
        _text.Append('\n');
        Comment(comment);
    }

    /// <summary>A key of the filter. A value that the loader refuses becomes a note.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">Its value as TOML.</param>
    /// <param name="line">Where it is from.</param>
    public bool Set(string key, string value, int line)
    {
        if (GetError(key, value) is { } error)
        {
            Note(line, $"the key {key} = {Shorten(value)}{(Selectors.Contains(key) ? ", without which the filter matches more" : "")}: {error}");
            return false;
        }
        _selects |= Selectors.Contains(key);
        _lines.Add($"{key} = {value}");
        return true;
    }

    public void Note(int line, string message)
    {
        _notes.Add(new(line, message));
        _lines.Add($"# Not carried over: {Printable.Of(message)}");
    }

    /// <param name="isUsed">False: it matches nothing. It becomes a comment then, as does one without a selector, which would not load.</param>
    public void EndFilter(bool isUsed)
    {
        string prefix = _selects && isUsed ? "" : "# ";
        _lines.Insert(0, "[[filter]]");
        foreach (string line in _lines.Append("[filter.threads]").Append("detail = \"name\""))
            _text.Append(line.StartsWith('#') ? "" : prefix).Append(line).Append('\n');
    }

    public static string List(IEnumerable<string> items) => $"[{string.Join(", ", items.Select(Quote))}]";

    /// <summary>A string of TOML: in single quotes when it has backslashes, which are left alone there.</summary>
    public static string Quote(string text)
    {
        bool isVisible = Printable.Of(text) == text;
        if (isVisible && text.AsSpan().ContainsAny('\\', '"') && !text.Contains('\'', StringComparison.Ordinal))
            return $"'{text}'";
        StringBuilder result = new("\"");
        foreach (Rune rune in text.EnumerateRunes())
        {
            string character = rune.ToString();
            if (character is "\"" or "\\")
                result.Append('\\').Append(character);
            else if (Printable.Of(character) == character)
                result.Append(character);
            else
                result.Append(CultureInfo.InvariantCulture, $"{(rune.IsBmp ? "\\u" : "\\U")}{rune.Value.ToString(rune.IsBmp ? "X4" : "X8", CultureInfo.InvariantCulture)}");
        }
        return result.Append('"').ToString();
    }

    private static string Shorten(string text) => text.Length <= 100 ? text : text[..(char.IsHighSurrogate(text[99]) ? 99 : 100)] + "…";

    /// <summary>Null, or what the loader says about the value, without the name of the key.</summary>
    private static string? GetError(string key, string value)
    {
        // The filter must have a selector for the message to be about this key.
        string other = key == "comm" ? "cmdline" : "comm";
        byte[] toml = Encoding.UTF8.GetBytes($"[[filter]]\n{other} = \"x\"\n{key} = {value}\n");
        string? error = ConfigLoader.Parse(toml, "", new ConfigOverrides()).Errors.FirstOrDefault()?.Message;
        return error?.StartsWith($"filter.{key}", StringComparison.Ordinal) is true ? error[$"filter.{key}".Length..].TrimStart(':', ' ') : error;
    }
}
