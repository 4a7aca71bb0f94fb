using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace ThreadExporter.Commands;

/// <summary>
/// Rewrites a regular expression of Go (RE2) in the syntax of the filter keys <c>cmdline</c> and <c>daemon</c>. Only what is written
/// differently is changed; what has no equivalent stays as it is, and the loader refuses it.
/// </summary>
internal sealed class GoRegex
{
    private static readonly ImmutableArray<(string Name, string Same)> Classes =
    [
        ("alnum", "0-9A-Za-z"), ("alpha", "A-Za-z"), ("ascii", @"\x00-\x7F"), ("blank", @"\t "), ("cntrl", @"\x00-\x1F\x7F"),
        ("digit", "0-9"), ("graph", "!-~"), ("lower", "a-z"), ("print", " -~"), ("punct", @"!-/:-@\[-`{-~"),
        ("space", @"\t\n\v\f\r "), ("upper", "A-Z"), ("word", "0-9A-Za-z_"), ("xdigit", "0-9A-Fa-f"),
    ];

    private readonly string _source;
    private readonly string? _capture;
    private readonly StringBuilder _result = new();
    private int _index;

    /// <param name="source">The expression of Go.</param>
    /// <param name="capture">The name of the only group that captures in the result; null: all groups do.</param>
    public GoRegex(string source, string? capture = null)
    {
        _source = source;
        _capture = capture;
        Translate();
    }

    /// <summary>The same expression. Its groups have no names.</summary>
    public string Text => _result.ToString();

    /// <summary>There is a group of that name.</summary>
    public bool HasCapture { get; private set; }

    /// <summary>Whether <c>^</c> or <c>\A</c> may tie a match to the start of the text.</summary>
    public bool IsAnchored { get; private set; }

    /// <summary>An expression that matches only this text.</summary>
    public static string Escape(string text)
    {
        StringBuilder result = new(text.Length + 8);
        foreach (char c in text)
            result.Append(@"\.+*?()|[]{}^$".Contains(c, StringComparison.Ordinal) ? "\\" : "").Append(c);
        return result.ToString();
    }

    private ReadOnlySpan<char> Rest => _source.AsSpan(_index);

    private void Translate()
    {
        while (!Rest.IsEmpty)
        {
            switch (Rest[0])
            {
                case '\\':
                    Escape(inClass: false);
                    break;
                case '[':
                    Class();
                    break;
                case '(':
                    Group();
                    break;
                case '{' when Rest is ['{', ',', ..]:
                    // Without a minimum it is plain text, not a repetition count.
                    Replace(1, @"\{");
                    break;
                default:
                    IsAnchored |= Rest[0] == '^';
                    Keep(1);
                    break;
            }
        }
    }

    private void Group()
    {
        int nameStart = Rest.StartsWith("(?P<") ? 4 : Rest.StartsWith("(?<") && Rest is not [_, _, _, '=' or '!', ..] ? 3 : 0;
        int nameLength = nameStart == 0 ? -1 : Rest[nameStart..].IndexOf('>');
        if (nameLength >= 0)
        {
            bool isWanted = Rest.Slice(nameStart, nameLength).SequenceEqual(_capture);
            HasCapture |= isWanted;
            Replace(nameStart + nameLength + 1, isWanted || _capture is null ? "(" : "(?:");
        }
        else if (Rest is not [_, '?', ..] && _capture is not null)
        {
            Replace(1, "(?:");
        }
        else
        {
            // The ? of a group is not a quantifier.
            Keep(Rest is [_, '?', ..] ? 2 : 1);
        }
    }

    private void Class()
    {
        Keep(Rest is [_, '^', ..] ? 2 : 1);
        for (bool isFirst = true; !Rest.IsEmpty && (isFirst || Rest[0] != ']'); isFirst = false)
        {
            if (Rest[0] == '\\')
                Escape(inClass: true);
            else if (ClassName() is { Name: { } name, Same: var same })
                Replace(name.Length + 4, same);
            else
                Keep(1);
        }
        Keep(1);
    }

    private (string Name, string Same) ClassName()
    {
        foreach ((string name, string same) in Classes)
        {
            if (Rest.StartsWith($"[:{name}:]", StringComparison.Ordinal))
                return (name, same);
        }
        return default;
    }

    private void Escape(bool inClass)
    {
        switch (Rest)
        {
            case ['\\', 'Q', ..] when !inClass:
                ReadOnlySpan<char> literal = Rest[2..];
                int end = literal.IndexOf("\\E", StringComparison.Ordinal);
                Replace(end < 0 ? Rest.Length : end + 4, Escape((end < 0 ? literal : literal[..end]).ToString()));
                break;
            case ['\\', 'p' or 'P', not '{', ..]:
                Replace(3, $"\\{Rest[1]}{{{Rest[2]}}}");
                break;
            case ['\\', 'x', '{', ..] when CodePoint(out int length) is { } rune && (rune.IsBmp || !inClass):
                Replace(length, rune.IsBmp ? FormattableString.Invariant($"\\u{rune.Value:X4}") : rune.ToString());
                break;
            // A word character for .NET, or an anchor for others: without the backslash they are themselves.
            case ['\\', '<' or '>' or '_', ..]:
                Replace(2, Rest[1].ToString());
                break;
            default:
                IsAnchored |= !inClass && Rest is ['\\', 'A', ..];
                Keep(2);
                break;
        }
    }

    private Rune? CodePoint(out int length)
    {
        int end = Rest.IndexOf('}');
        length = end + 1;
        return end > 3 && int.TryParse(Rest[3..end], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value) && Rune.IsValid(value)
            ? new Rune(value)
            : null;
    }

    private void Keep(int length)
    {
        length = Math.Min(length, Rest.Length);
        _result.Append(Rest[..length]);
        _index += length;
    }

    private void Replace(int length, string text)
    {
        _result.Append(text);
        _index += length;
    }
}
