using System.Text;
using FsCheck;
using FsCheck.Fluent;
using ThreadExporter.Exposition;

namespace ThreadExporter.Tests.Exposition;

/// <summary><see cref="LabelText"/>: escaped values that are always valid UTF-8.</summary>
public class LabelTextTests
{
    public static TheoryData<byte[], string> Values => new()
    {
        { "plain"u8.ToArray(), "plain" },
        { [], "" },
        { "a \"b\" \\ c\nd"u8.ToArray(), "a \\\"b\\\" \\\\ c\\nd" },
        { "((a b ) ( c d) )"u8.ToArray(), "((a b ) ( c d) )" },
        { "zähler-日本"u8.ToArray(), "zähler-日本" },
        { [0xff, (byte)'x', 0xc3], "\\\\xffx\\\\xc3" },
        // A truncated character: the kernel truncates names at 15 bytes.
        { [.. "fourteen-bytes"u8, 0xe6], "fourteen-bytes\\\\xe6" },
        // Surrogates and overlong forms are not valid UTF-8.
        { [0xed, 0xa0, 0x80], "\\\\xed\\\\xa0\\\\x80" },
        { [0xc0, 0xaf], "\\\\xc0\\\\xaf" },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public void A_value_is_escaped_and_always_UTF8(byte[] value, string expected) =>
        Assert.Equal($"{{tname=\"{expected}\"}}", Encoding.UTF8.GetString(Render(value)));

    [Fact]
    public void Labels_are_joined_by_commas()
    {
        LabelText text = new(new byte[100]);
        text.Add("a"u8, "x"u8);
        text.Add("b"u8, int.MaxValue);
        Assert.Equal("{a=\"x\",b=\"2147483647\"}", Encoding.UTF8.GetString(text.Finish()));
    }

    [Fact]
    public void Any_bytes_give_valid_UTF8_on_one_line() =>
        Prop.ForAll<byte[]>(value =>
        {
            byte[] text = Render(value);
            string decoded = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(text);
            return !decoded.Contains('\n') && text.Length <= LabelText.MaxLength(value.Length) + 10;
        }).QuickCheckThrowOnFailure();

    private static byte[] Render(byte[] value)
    {
        LabelText text = new(new byte[LabelText.MaxLength(value.Length) + 32]);
        text.Add("tname"u8, value);
        return text.Finish();
    }
}
