using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace ThreadExporter.Text;

internal enum GlobTokenKind : byte
{
    One,
    AnyOne,
    AnyRun,
    Class,
}

/// <summary>For a class, <c>Ranges</c> holds the first and last code point of each range in turn.</summary>
internal readonly record struct GlobToken(GlobTokenKind Kind, int CodePoint = 0, int[]? Ranges = null, bool Negated = false);

/// <summary>
/// The syntax of globs: <c>*</c>, <c>?</c>, <c>[abc]</c>, <c>[a-z]</c>, <c>[!…]</c>, <c>[^…]</c>, <c>[[:digit:]]</c>, and <c>\</c>
/// before a literal character. Syntax that a shell or another tool interprets differently is an error, not literal text: a filter that silently
/// matches nothing is worse. In glob(7) an unclosed <c>[</c> is literal text; here it is an error.
/// </summary>
internal ref struct GlobParser
{
    /// <summary>The POSIX character classes, ASCII only: first and last character of each range in turn.</summary>
    private static readonly ImmutableArray<(string Name, int[] Ranges)> Classes =
    [
        ("alnum", ['0', '9', 'A', 'Z', 'a', 'z']),
        ("alpha", ['A', 'Z', 'a', 'z']),
        ("blank", ['\t', '\t', ' ', ' ']),
        ("cntrl", [0, 0x1F, 0x7F, 0x7F]),
        ("digit", ['0', '9']),
        ("graph", ['!', '~']),
        ("lower", ['a', 'z']),
        ("print", [' ', '~']),
        ("punct", ['!', '/', ':', '@', '[', '`', '{', '~']),
        ("space", ['\t', '\r', ' ', ' ']),
        ("upper", ['A', 'Z']),
        ("xdigit", ['0', '9', 'A', 'F', 'a', 'f']),
    ];

    private readonly string _pattern;
    private readonly bool _hasUnitEscapes;
    private int _index;

    private GlobParser(string pattern, bool hasUnitEscapes)
    {
        _pattern = pattern;
        _hasUnitEscapes = hasUnitEscapes;
    }

    /// <param name="pattern">The glob.</param>
    /// <param name="hasUnitEscapes">
    /// For unit names: escapes like <c>\x2d</c> are literal, not <c>x2d</c>, so that a name can be pasted as systemctl prints it.
    /// </param>
    /// <exception cref="FormatException">The pattern is not valid: the message has the reason and the position.</exception>
    public static List<GlobToken> Parse(string pattern, bool hasUnitEscapes = false) => new GlobParser(pattern, hasUnitEscapes).Parse();

    /// <summary>The fewest bytes of UTF-8 that a text which the pattern matches can have.</summary>
    /// <exception cref="FormatException">The pattern is not valid.</exception>
    public static int MinBytes(string pattern)
    {
        int bytes = 0;
        foreach (GlobToken token in Parse(pattern))
        {
            bytes += token.Kind switch
            {
                GlobTokenKind.AnyRun => 0,
                GlobTokenKind.One when Rune.IsValid(token.CodePoint) => new Rune(token.CodePoint).Utf8SequenceLength,
                _ => 1,
            };
        }
        return bytes;
    }

    /// <summary>Null, or what is wrong.</summary>
    public static string? GetError(string pattern, bool hasUnitEscapes = false)
    {
        try
        {
            Parse(pattern, hasUnitEscapes);
            return null;
        }
        catch (FormatException e)
        {
            return e.Message;
        }
    }

    /// <summary>Null, or what is wrong with the braces in a list of globs.</summary>
    public static string? GetBraceError(string text)
    {
        GlobParser parser = new(text, hasUnitEscapes: false);
        try
        {
            for (; parser._index < text.Length; parser.NextLiteral())
            {
                if (text[parser._index] == '{')
                    parser.RejectBraces();
            }
            return null;
        }
        catch (FormatException e)
        {
            return e.Message;
        }
    }

    /// <summary><c>\x</c> and two hexadecimal digits: a byte in a unit name (systemd.unit(5)).</summary>
    public static bool IsUnitEscape(ReadOnlySpan<char> text) =>
        text is ['\\', 'x', var high, var low, ..] && char.IsAsciiHexDigit(high) && char.IsAsciiHexDigit(low);

    /// <summary>A surrogate pair is one character; so is a lone surrogate.</summary>
    public static int CodePointAt(ReadOnlySpan<char> text, int index, out int length)
    {
        if (char.IsHighSurrogate(text[index]) && index + 1 < text.Length && char.IsLowSurrogate(text[index + 1]))
        {
            length = 2;
            return char.ConvertToUtf32(text[index], text[index + 1]);
        }
        length = 1;
        return text[index];
    }

    private List<GlobToken> Parse()
    {
        List<GlobToken> tokens = new();
        if (Rest is ['!', ..])
            throw Error(0, "a leading ! does not negate a glob", "\\!");
        if (Rest is ['^', ..])
            throw Error(0, "a leading ^ is not needed: a glob matches the whole text", "\\^");
        while (_index < _pattern.Length)
        {
            switch (_pattern[_index])
            {
                case '*':
                    if (tokens.Count == 0 || tokens[^1].Kind != GlobTokenKind.AnyRun)
                        tokens.Add(new GlobToken(GlobTokenKind.AnyRun));
                    _index++;
                    break;
                case '?':
                    tokens.Add(new GlobToken(GlobTokenKind.AnyOne));
                    _index++;
                    break;
                case '[':
                    tokens.Add(Class());
                    break;
                default:
                    if (_pattern[_index] == '{')
                        RejectBraces();
                    tokens.Add(new GlobToken(GlobTokenKind.One, NextLiteral()));
                    break;
            }
        }
        return tokens;
    }

    private readonly ReadOnlySpan<char> Rest => _pattern.AsSpan(_index);

    /// <summary>As in glob(7): a <c>]</c> in first place, and a <c>-</c> in first or last place, are literal.</summary>
    private GlobToken Class()
    {
        int start = _index++;
        bool isNegated = Rest is ['!' or '^', ..];
        if (isNegated)
            _index++;
        if (Rest is [':', ..] && NameEnd(_index + 1) is var end && end > 0 && !_pattern.AsSpan((_index + 1)..end).ContainsAnyExceptInRange('a', 'z'))
            throw Error(start, $"a class name needs its own brackets: write [{_pattern[start..(end + 2)]}]", null);
        List<int> ranges = new();
        for (bool isFirst = true; isFirst || Rest is not [']', ..]; isFirst = false)
        {
            if (Rest.IsEmpty)
                throw Error(start, "unclosed [", "\\[");
            if (Rest is ['[', ':' or '.' or '=', ..])
                AddNamed(ranges);
            else
                AddRange(ranges);
            if (Rest.IsEmpty)
                throw Error(start, "unclosed [", "\\[");
        }
        _index++;
        return new GlobToken(GlobTokenKind.Class, Ranges: [.. ranges], Negated: isNegated);
    }

    private void AddRange(List<int> ranges)
    {
        int start = _index;
        int first = NextLiteral();
        int last = first;
        if (Rest is ['-', not ']', ..])
        {
            _index++;
            if (Rest is ['[', ':' or '.' or '=', ..])
                throw Error(start, "a range ends in a class: write the - last", null);
            last = NextLiteral();
            if (last < first)
                throw Error(start, $"the range {_pattern[start.._index]} is reversed", null);
        }
        ranges.Add(first);
        ranges.Add(last);
    }

    private void AddNamed(List<int> ranges)
    {
        int start = _index;
        if (_pattern[_index + 1] != ':')
            throw Error(start, "[.x.] and [=x=] are not supported: write only the character", "\\[");
        int end = NameEnd(_index + 2);
        if (end < 0)
            throw Error(start, "unclosed [:", "\\[");
        string name = _pattern[(start + 2)..end];
        if (Classes.FirstOrDefault(c => c.Name == name).Ranges is not { } known)
            throw Error(start, $"[:{name}:] is unknown: must be one of {string.Join(", ", Classes.Select(c => c.Name))}", null);
        ranges.AddRange(known);
        _index = end + 2;
        if (Rest is ['-', not ']', ..])
            throw Error(start, "a range starts with a class: write the - last", null);
    }

    /// <summary>The position of the <c>:]</c> after a class name; less than 0: there is no class name.</summary>
    private readonly int NameEnd(int start)
    {
        int length = _pattern.AsSpan(start).IndexOf(":]", StringComparison.Ordinal);
        return length > 0 && !_pattern.AsSpan(start, length).ContainsAny('[', ']') ? start + length : -1;
    }

    /// <summary>Rejects what a shell would expand: <c>{a,b}</c> and <c>{1..9}</c>. Other braces are literal, as in a shell.</summary>
    private readonly void RejectBraces()
    {
        GlobParser inner = new(_pattern, _hasUnitEscapes) { _index = _index + 1 };
        bool expands = false;
        for (; inner._index < _pattern.Length && _pattern[inner._index] != '}'; inner.NextLiteral())
        {
            expands |= inner.Rest is [',', ..]
                || (inner.Rest is ['.', '.', var next, ..] && char.IsAsciiLetterOrDigit(next) && char.IsAsciiLetterOrDigit(_pattern[inner._index - 1]));
        }
        if (expands && inner._index < _pattern.Length)
            throw Error(_index, "braces are not expanded: list each glob", "\\{");
    }

    private int NextLiteral()
    {
        if (_pattern[_index] == '\\' && _index + 1 < _pattern.Length && !(_hasUnitEscapes && IsUnitEscape(Rest)))
            _index++;
        int codePoint = CodePointAt(_pattern, _index, out int length);
        _index += length;
        return codePoint;
    }

    private readonly FormatException Error(int index, string what, string? literal)
    {
        string hint = literal is null ? "" : $"; write {literal} for the character itself";
        return new(string.Create(CultureInfo.InvariantCulture, $"{Printable.Quote(_pattern)} is not a valid glob: at character {index + 1}, {what}{hint}"));
    }
}
