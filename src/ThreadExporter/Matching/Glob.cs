using System.Collections.Immutable;
using System.Text;
using ThreadExporter.Text;

namespace ThreadExporter.Matching;

/// <summary>
/// A glob that matches a whole text, in the syntax of <see cref="GlobParser"/>: <c>*</c> matches any run of characters, including <c>/</c>.
/// </summary>
/// <remarks>
/// A character is a Unicode code point, so <c>?</c> matches a whole surrogate pair.
/// Time is at most pattern × text, and nothing is allocated: only the last <c>*</c> is ever retried.
/// </remarks>
internal sealed class Glob
{
    private readonly GlobToken[] _tokens;

    /// <exception cref="FormatException">The pattern is not a valid glob; the configuration rejects such a pattern.</exception>
    public Glob(string pattern, bool hasUnitEscapes = false)
    {
        Pattern = pattern;
        List<GlobToken> tokens = GlobParser.Parse(pattern, hasUnitEscapes);
        _tokens = [.. tokens];
        if (tokens.TrueForAll(static token => token.Kind == GlobTokenKind.One))
            LiteralText = Text(tokens);
    }

    public string Pattern { get; }

    /// <summary>The one text that the pattern matches, escapes resolved; null when it has a wildcard.</summary>
    public string? LiteralText { get; }

    public static ImmutableArray<Glob> CompileAll(ImmutableArray<string> patterns) => [.. patterns.Select(static text => new Glob(text))];

    public static bool MatchesAny(ImmutableArray<Glob> globs, ReadOnlySpan<char> text)
    {
        foreach (Glob glob in globs)
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
            if (token < _tokens.Length && _tokens[token].Kind == GlobTokenKind.AnyRun)
            {
                retryToken = ++token;
                retryPosition = position;
                continue;
            }
            int codePoint = GlobParser.CodePointAt(text, position, out int length);
            if (token < _tokens.Length && MatchesOne(in _tokens[token], codePoint))
            {
                token++;
                position += length;
                continue;
            }
            if (retryToken < 0)
                return false;
            // Earlier `*`s need not be retried: whatever they could match, the last one can match as well.
            _ = GlobParser.CodePointAt(text, retryPosition, out length);
            retryPosition += length;
            token = retryToken;
            position = retryPosition;
        }
        while (token < _tokens.Length && _tokens[token].Kind == GlobTokenKind.AnyRun)
            token++;
        return token == _tokens.Length;
    }

    public override string ToString() => Pattern;

    private static bool MatchesOne(in GlobToken token, int codePoint)
    {
        if (token.Kind == GlobTokenKind.One)
            return token.CodePoint == codePoint;
        if (token.Kind == GlobTokenKind.AnyOne)
            return true;
        int[] ranges = token.Ranges!;
        for (int i = 0; i < ranges.Length; i += 2)
        {
            if (codePoint >= ranges[i] && codePoint <= ranges[i + 1])
                return !token.Negated;
        }
        return token.Negated;
    }

    private static string Text(List<GlobToken> literals)
    {
        StringBuilder text = new(literals.Count);
        foreach (GlobToken literal in literals)
        {
            // A lone surrogate is a character too.
            if (Rune.IsValid(literal.CodePoint))
                text.Append(new Rune(literal.CodePoint));
            else
                text.Append((char)literal.CodePoint);
        }
        return text.ToString();
    }
}
