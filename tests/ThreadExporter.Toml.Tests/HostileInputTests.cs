using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace ThreadExporter.Toml.Tests;

public class HostileInputTests
{
    // The worst of these usually takes half a second; the limit only distinguishes linear from quadratic on a busy machine.
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    private static TomlDocument ParseInTime(string text) => ParseInTime(Encoding.UTF8.GetBytes(text));

    private static TomlDocument ParseInTime(byte[] bytes)
    {
        Stopwatch watch = Stopwatch.StartNew();
        TomlDocument document = TomlDocument.Parse(bytes);
        Assert.True(watch.Elapsed < Bound, $"took {watch.Elapsed}");
        Assert.All(document.Errors, e => Assert.True(e.Position is { Line: >= 1, Column: >= 1 }, e.ToString()));
        return document;
    }

    private static string Repeat(string text, int count) => new StringBuilder(text.Length * count).Insert(0, text, count).ToString();

    private static string ErrorText(TomlError error) => $"{error.Position.Line}:{error.Position.Column}: {error.Message}";

    private const string TooDeep = "nested too deeply: more than 64 levels of tables and arrays";

    public static TheoryData<string, string, int, string, string> Deep => new()
    {
        { "x = 1\na = ", "[", 100_000, "", "2:69: " + TooDeep },
        { "x = 1\na = ", "{a=", 100_000, "", "2:197: " + TooDeep },
        { "x = 1\n", "a.", 100_000, "a = 1", "2:1: " + TooDeep },
        { "x = 1\n[", "a.", 100_000, "a]", "2:2: " + TooDeep },
        { "[[", "a.", 500_000, "a]]", "1:3: " + TooDeep },
        { "a = { ", "a.", 100_000, "a = 1 }", "1:7: " + TooDeep },
    };

    [Theory]
    [MemberData(nameof(Deep))]
    public void Deep_nesting_is_one_error_with_a_position(string head, string part, int count, string tail, string expected) =>
        Assert.Equal(expected, ErrorText(Assert.Single(ParseInTime(head + Repeat(part, count) + tail).Errors)));

    [Theory]
    [InlineData("a = ", "[", 64, "]")]
    [InlineData("a = ", "{a=", 64, "}")]
    [InlineData("[x]\na = ", "[", 63, "]")]
    public void Nesting_up_to_the_limit_is_read_and_one_more_level_is_rejected(string head, string open, int count, string close)
    {
        string inner = open == "[" ? "" : "1";
        Assert.Empty(ParseInTime(head + Repeat(open, count) + inner + Repeat(close, count)).Errors);
        Assert.Equal(TooDeep, Assert.Single(ParseInTime(head + Repeat(open, count + 1) + inner + Repeat(close, count + 1)).Errors).Message);
    }

    [Fact]
    public void A_syntax_error_before_deep_nesting_is_the_one_reported() =>
        Assert.Equal("2:7: expected the end of the line", ErrorText(Assert.Single(ParseInTime("x = 1\na = 1 x\nb = " + Repeat("[", 1000)).Errors)));

    [Fact]
    public void A_text_of_one_repeated_byte_is_parsed_in_time()
    {
        byte[] structure = [0, .. "\n\"=[\\"u8];
        for (int value = 0; value <= byte.MaxValue; value++)
        {
            byte[] bytes = new byte[structure.Contains((byte)value) ? TomlDocument.MaxBytes : 20_000];
            Array.Fill(bytes, (byte)value);
            ImmutableArray<TomlError> errors = ParseInTime(bytes).Errors;
            Assert.Equal(value is '\t' or '\n' or ' ' or '#', errors.IsEmpty);
            Assert.DoesNotContain(errors, e => e.Message.StartsWith(SyntaxErrors.Unknown, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("a = \"", "\\")]
    [InlineData("a = \"\"\"", "\\")]
    [InlineData("a = \"\"\"", "\\\n")]
    [InlineData("a = \"", "\\u")]
    [InlineData("a = \"", "\\x41")]
    [InlineData("a = '", "é")]
    [InlineData("a = ", "1_")]
    [InlineData("a = ", "9")]
    [InlineData("a = [", "1,")]
    [InlineData("a = [", "#\n")]
    [InlineData("", "[a\n")]
    [InlineData("", "a = [\n")]
    [InlineData("", "a = {b =\n")]
    [InlineData("", "[[a]]\n")]
    [InlineData("", "a.b = 1\n")]
    [InlineData("", "\"a\".")]
    [InlineData("", "\r\n")]
    public void A_mebibyte_of_one_construct_is_parsed_in_time(string head, string part)
    {
        ImmutableArray<TomlError> errors = ParseInTime(head + Repeat(part, (TomlDocument.MaxBytes - head.Length) / Encoding.UTF8.GetByteCount(part))).Errors;
        Assert.DoesNotContain(errors, e => e.Message.StartsWith(SyntaxErrors.Unknown, StringComparison.Ordinal));
    }

    [Fact]
    public void Many_definitions_of_one_big_table_are_parsed_in_time_and_not_quoted()
    {
        ImmutableArray<TomlError> errors = ParseInTime("[a]\n#" + Repeat("x", 300_000) + "\n" + Repeat("[a]\n", 20_000)).Errors;
        Assert.Equal(51, errors.Length);
        Assert.Equal("3:2: the key `a` is already defined at 1:2", ErrorText(errors[0]));
        Assert.Equal("53:2: 19950 more errors not shown", ErrorText(errors[^1]));
    }

    [Fact]
    public void A_text_longer_than_a_mebibyte_is_rejected_unread() =>
        Assert.Equal("1:1: the file is longer than 1048576 bytes", ErrorText(Assert.Single(ParseInTime(new byte[TomlDocument.MaxBytes + 1]).Errors)));

    [Fact]
    public void Random_bytes_and_mutations_of_a_real_file_never_throw()
    {
        byte[] seed = Encoding.UTF8.GetBytes(
            """"
            title = "a \"b\" \u00E9 é" # comment
            [[filter]]
            cmdline = '--id (\S+)'
            pid = [1, 0x2F, 3_000]
            a.b."c d" = { x = 1.5e3, y = inf, z = [true, 1979-05-27T07:32:00.5Z, 07:32:00] }
            text = '''
            multi'''
            more = """
             a \
             b"""

            """");
        Gen<byte[]> piece = Gen.OneOf(
            Gen.Choose(0, 255).Select(b => new[] { (byte)b }),
            Gen.Elements("[", "]", "{", "}", "=", "\"", "'", "\"\"\"", "'''", "\\", ".", ",", "\n", "\r", "#", "[[", "]]", "0x", "1e", "a", "\uFEFF", "😀").Select(Encoding.UTF8.GetBytes));
        Gen<(int at, int cut, byte[] insert)> edit = from at in Gen.Choose(0, seed.Length)
                                                     from cut in Gen.Choose(0, 4)
                                                     from insert in piece
                                                     select (at, cut, insert);
        Gen<byte[]> mutated = edit.NonEmptyListOf().Select(edits => edits.Aggregate(seed, (bytes, e) =>
        {
            int at = Math.Min(e.at, bytes.Length);
            return [.. bytes[..at], .. e.insert, .. bytes[Math.Min(bytes.Length, at + e.cut)..]];
        }));
        Gen<byte[]> random = piece.ListOf().Select(pieces => pieces.SelectMany(p => p).ToArray());
        Prop.ForAll(Gen.OneOf(mutated, random).ToArbitrary(), bytes =>
        {
            TomlDocument document = TomlDocument.Parse(bytes);
            return document.Errors.All(e => e.Position is { Line: >= 1, Column: >= 1 } && !e.Message.StartsWith(SyntaxErrors.Unknown, StringComparison.Ordinal));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(3000));
    }
}
