using Tomlyn.Syntax;

namespace ThreadExporter.Toml;

/// <summary>
/// Rewrites Tomlyn's diagnostics for users. Tomlyn's own texts quote the source, which may be a secret, and mention tokens. When one cause has
/// several diagnostics, only the first of a line is kept.
/// </summary>
internal static class SyntaxErrors
{
    internal const string BadEscape =
        """unknown escape sequence in a "…" string: write '…' for literal backslashes, or \\ for one backslash""";

    internal const string NotClosed = "the string is not closed";

    internal const string BadTime = "not a valid date or time: must be as in RFC 3339";

    internal const string BareReturn = "a carriage return must be followed by a line feed";

    /// <summary>The message for a diagnostic that is not in the table below.</summary>
    internal const string Unknown = "this is not TOML 1.0";

    // The first entry whose text is in the diagnostic wins. Empty: the message depends on the character at the position.
    private static readonly (string Contains, string Message)[] Rewrites =
    [
        ("Expecting a closing `]` for an array", "expected `,` or `]` in the array"),
        ("to separate items in an array", "expected `,` or `]` in the array"),
        ("while parsing inline table", "expected a key or `}` in the inline table"),
        ("for a value", ""),
        ("while expecting a value", ""),
        ("Expecting `=` after a key", "expected `=` after the key"),
        ("while expecting token `newline`", "expected the end of the line"),
        ("while expecting `]` ", "expected `]` at the end of the table's name"),
        ("while expecting `]]` ", "expected `]]` at the end of the table's name"),
        ("for a base key", "expected a key"),
        ("Invalid \\r not followed by", BareReturn),
        ("Invalid control character", "control characters are not allowed here"),
        ("Invalid newline in a string", NotClosed + " before the end of the line"),
        ("Invalid End-Of-File found", NotClosed),
        ("Unexpected escape character", BadEscape),
        ("Invalid escape `\\", BadEscape),
        ("Invalid Unicode scalar value", "the escape sequence is not a Unicode scalar value"),
        ("date time/offset", BadTime),
        ("offset/local date/time", BadTime),
        ("Unable to parse integer", "the integer does not fit in 64 bits"),
        ("integer. Expecting less than or equal", "the integer does not fit in 64 bits"),
        ("Expecting at least one digit after the float dot", "expected a digit after the decimal point"),
        ("Expecting at least one digit after the exponent", "expected a digit in the exponent"),
        ("nderscore", "an underscore in a number must be between two digits"),
        ("leading zero", "a number must not start with a zero"),
        ("Multiple leading 0", "a number must not start with a zero"),
        ("Invalid capital", "the prefixes 0x, 0o and 0b must be lower case"),
        ("Invalid hexadecimal integer", "expected a hexadecimal digit"),
        ("Invalid octal integer", "expected an octal digit"),
        ("Invalid binary integer", "expected a binary digit"),
        ("] found", "expected a key, a [table] or a comment; a key with other characters than A-Z a-z 0-9 _ - must be quoted"),
    ];

    internal static IEnumerable<TomlError> From(IEnumerable<DiagnosticMessage> diagnostics, string text)
    {
        // A mebibyte of garbage has a million diagnostics: one pass, and sorting only after there is one per line.
        Dictionary<int, DiagnosticMessage> byLine = new();
        foreach (DiagnosticMessage diagnostic in diagnostics)
        {
            int line = diagnostic.Span.Start.Line;
            if (!byLine.TryGetValue(line, out DiagnosticMessage? best) || IsBetter(diagnostic, best))
                byLine[line] = diagnostic;
        }
        foreach (DiagnosticMessage diagnostic in byLine.Values.OrderBy(d => d.Span.Start.Line))
        {
            TomlError error = Rewrite(diagnostic, text);
            yield return error;
            // The text up to the next quote was read as part of the string: errors in it are not real errors.
            if (error.Message.StartsWith(NotClosed, StringComparison.Ordinal))
                yield break;
        }
    }

    // For an invalid number the parser reports "not a value" at its start; the lexer reports the exact error.
    private static bool IsBetter(DiagnosticMessage candidate, DiagnosticMessage best) =>
        IsAboutNumber(candidate.Message) ? Find(best.Message) is "" : candidate.Span.Start.Column < best.Span.Start.Column;

    private static bool IsAboutNumber(string message) =>
        message.StartsWith("Expecting at least one digit", StringComparison.Ordinal) || message.Contains(" integer. Expecting", StringComparison.Ordinal);

    private static string Find(string diagnostic)
    {
        foreach ((string contains, string message) in Rewrites)
        {
            if (diagnostic.Contains(contains, StringComparison.Ordinal))
                return message;
        }
        return Unknown;
    }

    private static TomlError Rewrite(DiagnosticMessage diagnostic, string text)
    {
        TextPosition start = diagnostic.Span.Start;
        TomlPosition position = new(start.Line + 1, start.Column + 1);
        int offset = Math.Clamp(start.Offset, 0, text.Length);
        string message = Find(diagnostic.Message);
        if (ReferenceEquals(message, BadEscape))
        {
            // Tomlyn reports the position of the unexpected character; users look for the backslash.
            int backslash = text.AsSpan(0, offset).LastIndexOf('\\');
            if (backslash >= 0 && offset - backslash < start.Column + 1)
                position = position with { Column = position.Column - (offset - backslash) };
        }
        else if (message.Length == 0)
        {
            message = NotAValue(offset < text.Length ? text[offset] : '\n');
        }
        return new(position, message);
    }

    private static string NotAValue(char found) => found switch
    {
        '\r' or '\n' => "expected a value",
        >= 'A' and <= 'Z' or >= 'a' and <= 'z' => "not a value: a string needs quotes, and true, false, inf and nan must be lower case",
        < ' ' or '\u007f' => "control characters are not allowed here",
        _ => "not a value",
    };
}
