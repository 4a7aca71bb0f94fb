using System.Collections.Immutable;
using System.Text;

namespace ThreadExporter.Matching;

/// <summary>
/// A glob on a whole text: <c>*</c> any run (also across <c>/</c>), <c>?</c> one character, <c>[abc]</c>, <c>[a-z]</c>,
/// <c>[!…]</c>, and <c>\</c> before a character that stands for itself.
/// </summary>
/// <remarks>
/// Every text is a pattern: as in glob(7), a <c>[</c> without its <c>]</c> stands for itself; so does a <c>\</c> at the end.
/// A character is a Unicode code point, so <c>?</c> takes a surrogate pair whole.
/// Time is at most pattern × text, memory none: only the last <c>*</c> is ever tried again.
/// </remarks>
internal sealed class Glob
{
    private enum TokenKind : byte
    {
        One,
        AnyOne,
        AnyRun,
        Class,
    }

    /// <summary>For a class, <c>Ranges</c> holds first and last code point of each range in turn.</summary>
    private readonly record struct Token(TokenKind Kind, int CodePoint = 0, int[]? Ranges = null, bool Negated = false);

    private readonly Token[] _tokens;

    public Glob(string pattern)
    {
        Pattern = pattern;
        _tokens = Parse(pattern);
        if (Array.TrueForAll(_tokens, static token => token.Kind == TokenKind.One))
            LiteralText = Unescape(pattern);
    }

    public string Pattern { get; }

    /// <summary>The one text that the pattern matches, escapes resolved; null when it has a wildcard.</summary>
    public string? LiteralText { get; }

    public bool IsLiteral => LiteralText is not null;

    public static ImmutableArray<Glob> CompileAll(ImmutableArray<string> patterns) => [.. patterns.Select(static text => new Glob(text))];

    public static bool MatchesAny(ImmutableArray<Glob> globs, ReadOnlySpan<char> text)
    {
        foreach (var glob in globs)
        {
            if (glob.Matches(text))
                return true;
        }
        return false;
    }

    public bool Matches(ReadOnlySpan<char> text)
    {
        if (LiteralText is not null)
            return text.SequenceEqual(LiteralText);

        int token = 0, position = 0;
        int retryToken = -1, retryPosition = 0;
        while (position < text.Length)
        {
            if (token < _tokens.Length && _tokens[token].Kind == TokenKind.AnyRun)
            {
                retryToken = ++token;
                retryPosition = position;
                continue;
            }
            var codePoint = CodePointAt(text, position, out var length);
            if (token < _tokens.Length && MatchesOne(in _tokens[token], codePoint))
            {
                token++;
                position += length;
                continue;
            }
            if (retryToken < 0)
                return false;
            // An earlier `*` need not be tried: whatever it could take, the last one can take as well.
            _ = CodePointAt(text, retryPosition, out length);
            retryPosition += length;
            token = retryToken;
            position = retryPosition;
        }
        while (token < _tokens.Length && _tokens[token].Kind == TokenKind.AnyRun)
            token++;
        return token == _tokens.Length;
    }

    public override string ToString() => Pattern;

    private static bool MatchesOne(in Token token, int codePoint)
    {
        if (token.Kind == TokenKind.One)
            return token.CodePoint == codePoint;
        if (token.Kind == TokenKind.AnyOne)
            return true;
        var ranges = token.Ranges!;
        for (var i = 0; i < ranges.Length; i += 2)
        {
            if (codePoint >= ranges[i] && codePoint <= ranges[i + 1])
                return !token.Negated;
        }
        return token.Negated;
    }

    private static int CodePointAt(ReadOnlySpan<char> text, int index, out int length)
    {
        if (char.IsHighSurrogate(text[index]) && index + 1 < text.Length && char.IsLowSurrogate(text[index + 1]))
        {
            length = 2;
            return char.ConvertToUtf32(text[index], text[index + 1]);
        }
        length = 1;
        return text[index];
    }

    private static Token[] Parse(string pattern)
    {
        var tokens = new List<Token>();
        for (var i = 0; i < pattern.Length;)
        {
            switch (pattern[i])
            {
                case '*':
                    if (tokens.Count == 0 || tokens[^1].Kind != TokenKind.AnyRun)
                        tokens.Add(new Token(TokenKind.AnyRun));
                    i++;
                    break;
                case '?':
                    tokens.Add(new Token(TokenKind.AnyOne));
                    i++;
                    break;
                case '[' when TryParseClass(pattern, ref i, out var token):
                    tokens.Add(token);
                    break;
                default:
                    tokens.Add(new Token(TokenKind.One, NextLiteral(pattern, ref i)));
                    break;
            }
        }
        return [.. tokens];
    }

    /// <summary>As in glob(7): a <c>]</c> that comes first, and a <c>-</c> that comes first or last, stand for themselves.</summary>
    private static bool TryParseClass(string pattern, ref int index, out Token token)
    {
        token = default;
        var i = index + 1;
        var negated = i < pattern.Length && pattern[i] == '!';
        if (negated)
            i++;
        var ranges = new List<int>();
        for (var isFirst = true; ; isFirst = false)
        {
            if (i >= pattern.Length)
                return false;
            if (pattern[i] == ']' && !isFirst)
                break;
            var first = NextLiteral(pattern, ref i);
            var last = first;
            if (i + 1 < pattern.Length && pattern[i] == '-' && pattern[i + 1] != ']')
            {
                i++;
                last = NextLiteral(pattern, ref i);
            }
            ranges.Add(first);
            ranges.Add(last);
        }
        index = i + 1;
        token = new Token(TokenKind.Class, Ranges: [.. ranges], Negated: negated);
        return true;
    }

    private static int NextLiteral(string pattern, ref int index)
    {
        if (pattern[index] == '\\' && index + 1 < pattern.Length)
            index++;
        var codePoint = CodePointAt(pattern, index, out var length);
        index += length;
        return codePoint;
    }

    private static string Unescape(string pattern)
    {
        var text = new StringBuilder(pattern.Length);
        for (var i = 0; i < pattern.Length;)
        {
            if (pattern[i] == '\\' && i + 1 < pattern.Length)
                i++;
            text.Append(pattern[i++]);
        }
        return text.ToString();
    }
}
