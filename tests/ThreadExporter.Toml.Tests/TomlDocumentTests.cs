using System.Text;

namespace ThreadExporter.Toml.Tests;

public class TomlDocumentTests
{
    private static TomlDocument Parse(string text) => TomlDocument.Parse(Encoding.UTF8.GetBytes(text));

    private static string[] Errors(string text) => [.. Parse(text).Errors.Select(e => $"{e.Position.Line}:{e.Position.Column}: {e.Message}")];

    [Fact]
    public void Tables_keep_order_and_positions()
    {
        TomlTable root = Parse("b = 1\n  a.c = 'x'\n[[t]]\n\tk = [ 1,\n 2.5 ]\n[[t]]\n[u.v]\n").Root;
        Assert.Equal(["b", "a", "t", "u"], root.Entries.Select(e => e.Key));
        Assert.True(root.TryGet("a", out TomlEntry? a));
        Assert.Equal(new TomlPosition(2, 3), a.KeyPosition);
        TomlEntry c = Assert.Single(Assert.IsType<TomlTable>(a.Value).Entries);
        Assert.Equal((new TomlPosition(2, 5), new TomlPosition(2, 9)), (c.KeyPosition, c.Value.Position));
        Assert.True(root.TryGet("t", out TomlEntry? t));
        TomlArray tables = Assert.IsType<TomlArray>(t.Value);
        Assert.Equal([new(3, 3), new(6, 3)], tables.Items.Select(i => i.Position));
        TomlEntry k = Assert.Single(Assert.IsType<TomlTable>(tables.Items[0]).Entries);
        Assert.Equal([new(4, 8), new(5, 2)], Assert.IsType<TomlArray>(k.Value).Items.Select(i => i.Position));
        Assert.False(root.TryGet("v", out _));
    }

    [Fact]
    public void A_column_counts_characters() => Assert.Equal(["1:10: expected the end of the line"], Errors("a = \"😀é\" x"));

    [Theory]
    [InlineData("a = 07:32:00", TomlDateTimeKind.LocalTime, "0001-01-01T07:32:00.0000000+00:00", "a time")]
    [InlineData("a = 1979-05-27", TomlDateTimeKind.LocalDate, "1979-05-27T00:00:00.0000000+00:00", "a date")]
    [InlineData("a = 1979-05-27 07:32:00.5", TomlDateTimeKind.LocalDateTime, "1979-05-27T07:32:00.5000000+00:00", "a date-time")]
    [InlineData("a = 1979-05-27T07:32:00-07:00", TomlDateTimeKind.OffsetDateTime, "1979-05-27T07:32:00.0000000-07:00", "a date-time")]
    public void The_four_kinds_of_time(string text, TomlDateTimeKind kind, string value, string typeName)
    {
        TomlDateTime time = Assert.IsType<TomlDateTime>(Assert.Single(Parse(text).Root.Entries).Value);
        Assert.Equal((kind, value, typeName), (time.Kind, time.Value.ToString("O"), time.TypeName));
    }

    [Theory]
    [InlineData("a = \"x \\d y\"", "1:8: unknown escape sequence in a \"…\" string: write '…' for literal backslashes, or \\\\ for one backslash")]
    [InlineData("a = \"\"\"\nb\n  \\d\"\"\"", "3:3: unknown escape sequence in a \"…\" string: write '…' for literal backslashes, or \\\\ for one backslash")]
    [InlineData("a = \"\"\"b\\\n\\\tc\"\"\"", "2:1: unknown escape sequence in a \"…\" string: write '…' for literal backslashes, or \\\\ for one backslash")]
    [InlineData("a = +1999-08-04", "1:5: not a valid date or time: must be as in RFC 3339")]
    [InlineData("a = 10_00-01-01", "1:5: not a valid date or time: must be as in RFC 3339")]
    [InlineData("a = \"\\ud800\"", "1:7: the escape sequence is not a Unicode scalar value")]
    [InlineData("a = hello", "1:5: not a value: a string needs quotes, and true, false, inf and nan must be lower case")]
    [InlineData("a = True", "1:5: not a value: a string needs quotes, and true, false, inf and nan must be lower case")]
    [InlineData("a = $2y$10$secret", "1:5: not a value")]
    [InlineData("a = ", "1:5: expected a value")]
    [InlineData("a = \nb = 1", "1:5: expected a value")]
    [InlineData("a = 1.", "1:7: expected a digit after the decimal point")]
    [InlineData("a = 01", "1:5: a number must not start with a zero")]
    [InlineData("a = 9223372036854775808", "1:5: the integer does not fit in 64 bits")]
    [InlineData("a = 0x9223372036854775807", "1:5: the integer does not fit in 64 bits")]
    [InlineData("a = 0o77777777777777777777777\nb = 1", "1:5: the integer does not fit in 64 bits")]
    [InlineData("a = 0b11111111111111111111111111111111111111111111111111111111111111111", "1:5: the integer does not fit in 64 bits")]
    [InlineData("a = 2000-13-01", "1:5: not a valid date or time: must be as in RFC 3339")]
    [InlineData("a = \"b\nc = 1", "1:7: the string is not closed before the end of the line")]
    [InlineData("a = '''b\nc", "2:2: the string is not closed")]
    [InlineData("a = \"\"\"\\", "1:9: the string is not closed")]
    [InlineData("a = [1 2]", "1:8: expected `,` or `]` in the array")]
    [InlineData("a = [\n1,\nb = 2\n", "3:1: not a value: a string needs quotes, and true, false, inf and nan must be lower case")]
    [InlineData("[a", "1:3: expected `]` at the end of the table's name")]
    [InlineData("[[a]\n", "1:4: expected `]]` at the end of the table's name")]
    [InlineData("a", "1:2: expected `=` after the key")]
    [InlineData("ä = 1", "1:1: expected a key, a [table] or a comment; a key with other characters than A-Z a-z 0-9 _ - must be quoted")]
    [InlineData("a = 1 b = 2", "1:7: expected the end of the line")]
    [InlineData("a = 1\na = 2", "2:1: the key `a` is already defined at 1:1")]
    [InlineData("a = 1\n\"\\u001b\" = 1\n\"\\u001b\" = 1", "3:1: the key `\u001b` is already defined at 2:1")]
    [InlineData("# \u0007", "1:3: control characters are not allowed here")]
    [InlineData("a = 1 # \r# x", "1:9: control characters are not allowed here")]
    public void One_error_has_one_message(string text, string error) => Assert.Equal([error], Errors(text));

    [Theory]
    [InlineData("a = \"x\\e\"", "1:7: the escape sequence `\\e` is TOML 1.1: write \\u00HH, or '…' for literal backslashes")]
    [InlineData("a = \"😀\\x41\\\\x\\e\"", "1:7: the escape sequence `\\x` is TOML 1.1: write \\u00HH, or '…' for literal backslashes", "1:14: the escape sequence `\\e` is TOML 1.1: write \\u00HH, or '…' for literal backslashes")]
    [InlineData("\"\\x41\" = 1", "1:2: the escape sequence `\\x` is TOML 1.1: write \\u00HH, or '…' for literal backslashes")]
    [InlineData("a = \"\"\"\\\n \\\\e\n \\x41\"\"\"", "3:2: the escape sequence `\\x` is TOML 1.1: write \\u00HH, or '…' for literal backslashes")]
    [InlineData("a = 07:32", "1:5: a time without seconds is TOML 1.1: write HH:MM:SS")]
    [InlineData("a = 1979-05-27 07:32Z", "1:5: a time without seconds is TOML 1.1: write HH:MM:SS")]
    [InlineData("a = { b = 1, }", "1:12: a comma before `}` is TOML 1.1: remove it")]
    [InlineData("a = { b = 1\n}", "2:1: an inline table must be on one line: line breaks in it are TOML 1.1")]
    [InlineData("a = { # c\n b = 1 }", "2:2: an inline table must be on one line: line breaks in it are TOML 1.1")]
    [InlineData("a = { b = 1\n, c = 1 }", "2:1: an inline table must be on one line: line breaks in it are TOML 1.1")]
    public void Syntax_of_TOML_1_1_is_rejected(string text, params string[] errors) => Assert.Equal(errors, Errors(text));

    [Theory]
    [InlineData("a = \"b\\\n c\"", "1:5: the string is not closed before the end of the line")]
    [InlineData("\"b\\\r\n c\" = 1", "1:1: the string is not closed before the end of the line")]
    [InlineData("a = \"b\\\r c\"", "1:5: the string is not closed before the end of the line")]
    [InlineData("a = \"\"\"\nb\\\r c\"\"\"", "2:3: a carriage return must be followed by a line feed")]
    public void A_backslash_does_not_hide_a_line_break(string text, string error) => Assert.Equal([error], Errors(text));

    [Theory]
    [InlineData("a = '\\e'")]
    [InlineData("a = \"\\\\e\"")]
    [InlineData("a = { b = [ 1,\n 2, ], c = '''\n''' }")]
    public void Syntax_like_TOML_1_1_that_is_valid_1_0_is_read(string text) => Assert.Empty(Errors(text));

    [Fact]
    public void Errors_on_several_lines_are_all_reported() =>
        Assert.Equal(["1:5: not a value", "3:5: expected a value"], Errors("a = ?\nb = 1\nc = \n"));

    [Fact]
    public void A_table_defined_twice_does_not_hide_errors_in_it() =>
        Assert.Equal(["3:2: the key `a` is already defined at 1:2", "5:1: the key `c` is already defined at 4:1"], Errors("[a]\nb = 1\n[a]\nc = 1\nc = 2\n"));

    [Fact]
    public void A_byte_that_is_not_UTF_8_has_a_position()
    {
        byte[] bytes = [.. "a = 1\nb = 'é"u8, 0xFF, .. "'\n"u8];
        Assert.Equal(new TomlError(new TomlPosition(2, 7), "byte 0xFF is not valid UTF-8 here"), Assert.Single(TomlDocument.Parse(bytes).Errors));
        Assert.Equal(new TomlError(new TomlPosition(1, 1), "byte 0xC3 is not valid UTF-8 here"), Assert.Single(TomlDocument.Parse([0xC3]).Errors));
    }
}
