using System.Collections.Immutable;
using System.Globalization;
using System.Text.Unicode;
using Tomlyn;
using Tomlyn.Parsing;
using Tomlyn.Syntax;

namespace ThreadExporter.Toml;

/// <summary>
/// A TOML 1.0 text as tables with positions. Tomlyn parses the syntax. This class adds the rules for tables, positions for every node, limits, and
/// the rejection of TOML 1.1 syntax.
/// </summary>
public sealed class TomlDocument
{
    /// <summary>The longest accepted text, in bytes.</summary>
    public const int MaxBytes = 1 << 20;

    private const int MaxErrors = 50;

    private TomlDocument(TomlTable root, IEnumerable<TomlError> errors)
    {
        Root = root;
        Errors = Cap(errors);
    }

    /// <summary>All that could be read; empty after a syntax error.</summary>
    public TomlTable Root { get; }

    /// <summary>All errors in the order of the text, at most one syntax error per line; empty when the text is valid.</summary>
    public ImmutableArray<TomlError> Errors { get; }

    /// <summary>Parses a text. Never throws: errors are in <see cref="Errors"/>.</summary>
    public static TomlDocument Parse(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > MaxBytes)
            return Failed(new(1, 1), string.Create(CultureInfo.InvariantCulture, $"the file is longer than {MaxBytes} bytes"));

        char[] chars = new char[utf8.Length + 1];
        if (Utf8.ToUtf16(utf8, chars, out int read, out int written, replaceInvalidSequences: false) != System.Buffers.OperationStatus.Done)
        {
            Span<char> text = chars.AsSpan(0, written);
            TomlPosition position = new TomlPosition(1, 1).After(text);
            return Failed(position, string.Create(CultureInfo.InvariantCulture, $"byte 0x{utf8[read]:X2} is not valid UTF-8 here"));
        }
        // Tomlyn throws when the text ends inside an escape sequence; with a line break at the end that is an ordinary error. (Not after a
        // carriage return, which would become a valid line break.)
        if (written > 0 && chars[written - 1] is not ('\r' or '\n'))
            chars[written++] = '\n';
        return ParseGuarded(new string(chars, 0, written));
    }

    private static TomlDocument Parse(string text)
    {
        // Tomlyn counts the root as a level. Its own validation is off: it copies the whole text of the earlier definition into every message
        // about a duplicate key, which takes minutes on a hostile file and would reveal secrets.
        TomlSerializerOptions options = new() { MaxDepth = TomlDepth.Max + 1 };
        try
        {
            DocumentSyntax syntax = SyntaxParser.Parse(text, options, sourceName: "", validate: false);
            if (syntax.HasErrors)
                return new(EmptyRoot(), SyntaxErrors.From(syntax.Diagnostics, text));
            TomlBuilder builder = new();
            TomlTable root = builder.Build(syntax);
            return new(root, builder.Errors);
        }
        catch (TomlException)
        {
            return FindFirstError(text, options);
        }
    }

    // Tomlyn may throw exceptions of other types on invalid text, and a configuration file must never terminate the daemon.
    private static TomlDocument ParseGuarded(string text)
    {
        try
        {
            return Parse(text);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return Failed(new TomlPosition(1, 1).After(text), $"{SyntaxErrors.Unknown} ({e.GetType().Name})");
        }
    }

    // The syntax parser's exception about deep nesting has no position, so the event parser parses the text again.
    private static TomlDocument FindFirstError(string text, TomlSerializerOptions options)
    {
        TomlParser parser = TomlParser.Create(text, new TomlParserOptions { Mode = TomlParserMode.Tolerant }, options);
        TomlPosition last = new(1, 1);
        try
        {
            while (parser.MoveNext())
                last = Position(parser) ?? last;
            // It stopped at a syntax error before the deep nesting. Its messages differ from those of the syntax parser.
            int end = parser.Diagnostics.First().Span.Start.Offset;
            while (end < text.Length && text[end++] != '\n')
            {
            }
            DocumentSyntax syntax = SyntaxParser.Parse(text[..end], options, sourceName: "", validate: false);
            return new(EmptyRoot(), SyntaxErrors.From(syntax.Diagnostics, text).Take(1));
        }
        catch (TomlException)
        {
            return Failed(Position(parser) ?? last, TomlDepth.Message);
        }

        // The tables that a dotted key creates have no position in the text.
        static TomlPosition? Position(TomlParser parser) =>
            parser.Current.Span is { } span ? new(span.Start.Line + 1, span.Start.Column + 1) : null;
    }

    private static TomlDocument Failed(TomlPosition position, string message) => new(EmptyRoot(), [new TomlError(position, message)]);

    private static TomlTable EmptyRoot() => new(new TomlPosition(1, 1)) { Origin = TomlTableOrigin.Header };

    // Each error is logged, and only the first screens are read.
    private static ImmutableArray<TomlError> Cap(IEnumerable<TomlError> errors)
    {
        List<TomlError> sorted = errors.OrderBy(e => e.Position.Line).ThenBy(e => e.Position.Column).ToList();
        if (sorted.Count <= MaxErrors)
            return [.. sorted];
        int more = sorted.Count - MaxErrors;
        string rest = string.Create(CultureInfo.InvariantCulture, $"{more} more {(more == 1 ? "error" : "errors")} not shown");
        return [.. sorted[..MaxErrors], new TomlError(sorted[MaxErrors].Position, rest)];
    }
}
