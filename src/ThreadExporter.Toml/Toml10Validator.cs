using Tomlyn.Syntax;

namespace ThreadExporter.Toml;

/// <summary>Rejects what Tomlyn accepts but TOML 1.0 does not allow, most of it from TOML 1.1: other parsers would reject the file.</summary>
internal static class Toml10Validator
{
    /// <summary>
    /// In strings and quoted keys: the escapes <c>\e</c> and <c>\xHH</c>, and line breaks after a backslash where they are not allowed.
    /// </summary>
    internal static void CheckString(StringValueSyntax syntax, List<TomlError> errors)
    {
        if (syntax.Token is not { TokenKind: TokenKind.String or TokenKind.StringMulti, Text: { } text })
            return;
        (TomlPosition position, int done) = (TomlPosition.Of(syntax), 0);
        for (int i = text.IndexOf('\\', StringComparison.Ordinal); i >= 0 && i + 1 < text.Length; i = text.IndexOf('\\', i + 2))
        {
            char next = text[i + 1];
            // Spaces and tabs are allowed between a backslash and the end of its line only; Tomlyn allows a tab anywhere.
            bool isBadTab = next == '\t' && text.AsSpan(i + 1).TrimStart(" \t") is not ['\r' or '\n', ..];
            if (next is not ('e' or 'x') && !isBadTab)
                continue;
            position = position.After(text.AsSpan(done..i));
            done = i;
            errors.Add(new(position, isBadTab
                ? SyntaxErrors.BadEscape
                : $"the escape sequence `\\{next}` is TOML 1.1: write \\u00HH, or '…' for literal backslashes"));
        }
        // A backslash at the end of a line joins lines in a """ string only, and a carriage return must be followed by a line feed.
        for (int i = text.AsSpan().IndexOfAny('\r', '\n'); i >= 0 && i + 1 < text.Length; i++)
        {
            if (text[i] is '\n' or '\r' && syntax.Token.TokenKind == TokenKind.String)
            {
                errors.Add(new(TomlPosition.Of(syntax), SyntaxErrors.NotClosed + " before the end of the line"));
                return;
            }
            if (text[i] == '\r' && text[i + 1] != '\n')
            {
                errors.Add(new(TomlPosition.Of(syntax).After(text.AsSpan(..i)), SyntaxErrors.BareReturn));
                return;
            }
        }
    }

    /// <summary>A time without seconds, and a year with an underscore.</summary>
    internal static void CheckTime(DateTimeValueSyntax syntax, List<TomlError> errors)
    {
        string text = syntax.Token?.Text ?? "";
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon >= 0 && (colon + 3 >= text.Length || text[colon + 3] != ':'))
            errors.Add(new(TomlPosition.Of(syntax), "a time without seconds is TOML 1.1: write HH:MM:SS"));
        if (text.Contains('_', StringComparison.Ordinal))
            errors.Add(new(TomlPosition.Of(syntax), SyntaxErrors.BadTime));
    }

    /// <summary>A line break or a trailing comma in an inline table.</summary>
    internal static void CheckInlineTable(InlineTableSyntax syntax, List<TomlError> errors)
    {
        SyntaxNode previous = (SyntaxNode)syntax.OpenBrace!;
        InlineTableItemSyntax? last = null;
        foreach (InlineTableItemSyntax item in syntax.Items)
        {
            KeyValueSyntax pair = item.KeyValue!;
            if (!OnOneLine(pair.Key!, errors) || !OnOneLine(pair.Value!, errors) || item.Comma is { } comma && !OnOneLine(comma, errors))
                return;
            last = item;
        }
        if (!OnOneLine(syntax.CloseBrace!, errors))
            return;
        if (last?.Comma is { } trailing)
            errors.Add(new(TomlPosition.Of(trailing), "a comma before `}` is TOML 1.1: remove it"));

        // Values may contain line breaks (arrays, multi-line strings), so check where the next part starts.
        bool OnOneLine(SyntaxNode node, List<TomlError> errors)
        {
            if (node.Span.Start.Line != previous.Span.End.Line)
            {
                errors.Add(new(TomlPosition.Of(node), "an inline table must be on one line: line breaks in it are TOML 1.1"));
                return false;
            }
            previous = node;
            return true;
        }
    }
}
