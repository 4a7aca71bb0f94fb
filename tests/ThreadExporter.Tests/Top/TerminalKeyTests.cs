using System.Text;
using ThreadExporter.Top;

namespace ThreadExporter.Tests.Top;

/// <summary><see cref="TerminalKey"/>: keys from the bytes that terminals send.</summary>
public class TerminalKeyTests
{
    [Theory]
    [InlineData("\e[A", nameof(KeyName.Up))]
    [InlineData("\eOA", nameof(KeyName.Up))]
    [InlineData("\e[B", nameof(KeyName.Down))]
    [InlineData("\e[1;5B", nameof(KeyName.Down))]
    [InlineData("\e[5~", nameof(KeyName.PageUp))]
    [InlineData("\e[6~", nameof(KeyName.PageDown))]
    [InlineData("\e[H", nameof(KeyName.Home))]
    [InlineData("\e[1~", nameof(KeyName.Home))]
    [InlineData("\e[4~", nameof(KeyName.End))]
    [InlineData("\eOF", nameof(KeyName.End))]
    [InlineData("\r", nameof(KeyName.Enter))]
    [InlineData("\n", nameof(KeyName.Enter))]
    [InlineData("\u007f", nameof(KeyName.Backspace))]
    [InlineData("\b", nameof(KeyName.Backspace))]
    [InlineData("\e", nameof(KeyName.Escape))]
    public void Keys_have_names(string sent, string name) => Assert.Equal([new TerminalKey(Enum.Parse<KeyName>(name))], Parse(sent));

    [Fact]
    public void Characters_are_read_whole() =>
        Assert.Equal(["q", "ü", "日", "😀"], Parse("qü日😀").Select(k => k.Character.ToString()));

    [Fact]
    public void What_has_no_meaning_is_skipped() => Assert.Equal(["a"], Parse("\e[3~\e[200~\u0001\t\e[?1;2ca").Select(k => k.Character.ToString()));

    [Theory]
    [InlineData("\e")]
    [InlineData("\e[")]
    [InlineData("\e[1;")]
    [InlineData("\eO")]
    public void Half_a_key_waits_for_the_rest(string sent)
    {
        Assert.Equal(0, TerminalKey.Parse(Encoding.UTF8.GetBytes(sent), isAll: false, out TerminalKey? key));
        Assert.Null(key);
    }

    [Fact]
    public void Random_bytes_are_read_to_their_end()
    {
        Random random = new(7);
        byte[] bytes = new byte[64];
        for (int i = 0; i < 20_000; i++)
        {
            random.NextBytes(bytes);
            int used = 0;
            while (used < bytes.Length && TerminalKey.Parse(bytes.AsSpan(used), isAll: true, out _) is > 0 and int taken)
                used += taken;
            Assert.Equal(bytes.Length, used);
        }
    }

    private static List<TerminalKey> Parse(string sent)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(sent);
        List<TerminalKey> keys = [];
        for (int used = 0; used < bytes.Length;)
        {
            used += TerminalKey.Parse(bytes.AsSpan(used), isAll: true, out TerminalKey? key);
            if (key is { } pressed)
                keys.Add(pressed);
        }
        return keys;
    }
}
