

namespace ThreadExporter.Tests.Fuzz;

/// <summary>
/// Generates inputs similar to real ones, and sometimes noise. The n-th depends only on the seed and on n, so that it can be repeated.
/// </summary>
internal sealed class Mutator(byte[][] files, byte[][] pieces)
{
    private const int MaxLength = 8192;

    private static readonly byte[][] Numbers =
    [
        .. new[] { "0", "-1", "00", "2147483647", "2147483648", "4294967295", "4294967296", "9223372036854775807", "9223372036854775808",
            "18446744073709551615", "18446744073709551616", "99999999999999999999999999", "+1", "1e9", "0x10", "" }.Select(System.Text.Encoding.ASCII.GetBytes),
    ];

    private readonly byte[] _text = new byte[MaxLength];
    private int _length;
    private ulong _random;

    /// <summary>Valid until the next call.</summary>
    public ReadOnlySpan<byte> Make(ulong seed, long number)
    {
        _random = seed ^ ((ulong)number * 0x9E3779B97F4A7C15);
        _length = 0;
        if (Below(16) == 0)
        {
            for (int left = Below(100); left > 0; left--)
                Replace(_length, 0, [(byte)Next()]);
        }
        else
        {
            Replace(0, 0, Any(files));
        }
        for (int edits = Below(6); edits > 0; edits--)
            Edit();
        return _text.AsSpan(0, _length);
    }

    private void Edit()
    {
        int at = Below(_length + 1);
        int run = Math.Min(Below(16), _length - at);
        switch (Below(8))
        {
            case 0:
                Replace(at, Math.Min(1, _length - at), [(byte)Next()]);
                break;
            case 1:
                Replace(at, run, []);
                break;
            case 2:
                Replace(at, Math.Min(Below(4), _length - at), Any(pieces));
                break;
            case 3:
                _length = at;
                break;
            case 4:
                Span<byte> copy = stackalloc byte[16];
                _text.AsSpan(at, run).CopyTo(copy);
                Replace(Below(_length + 1), 0, copy[..run]);
                break;
            case 5:
                byte[] other = Any(files);
                Replace(at, _length - at, other.AsSpan(Below(other.Length + 1)));
                break;
            default:
                ReplaceNumber(at);
                break;
        }
    }

    private void ReplaceNumber(int from)
    {
        int at = _text.AsSpan(from, _length - from).IndexOfAnyInRange((byte)'0', (byte)'9');
        if (at < 0)
            return;
        at += from;
        int digits = _text.AsSpan(at, _length - at).IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        Replace(at, digits < 0 ? _length - at : digits, Any(Numbers));
    }

    private void Replace(int at, int removed, ReadOnlySpan<byte> inserted)
    {
        int rest = _length - at - removed;
        if (at + inserted.Length + rest > MaxLength)
            return;
        _text.AsSpan(at + removed, rest).CopyTo(_text.AsSpan(at + inserted.Length));
        inserted.CopyTo(_text.AsSpan(at));
        _length = at + inserted.Length + rest;
    }

    private byte[] Any(byte[][] list) => list[Below(list.Length)];

    private int Below(int limit) => (int)(Next() % (ulong)limit);

    // splitmix64
    private ulong Next()
    {
        ulong z = _random += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
