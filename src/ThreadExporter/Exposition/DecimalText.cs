namespace ThreadExporter.Exposition;

/// <summary>
/// Formats numbers as ASCII digits, two digits at a time and without trailing zeros. A scrape of 10,000 threads has about 70,000 numbers;
/// the framework has no format for a 64-bit count of nanoseconds in seconds.
/// </summary>
internal static class DecimalText
{
    private const long NanosecondsPerSecond = 1_000_000_000;
    private const uint NanosecondsPerHundredth = 10_000_000;

    private static ReadOnlySpan<byte> Pairs =>
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"u8;

    /// <summary>Writes nanoseconds as decimal seconds, exactly.</summary>
    /// <returns>The number of bytes written, 20 at most.</returns>
    public static int Seconds(long nanoseconds, Span<byte> to)
    {
        ulong whole = (ulong)nanoseconds / NanosecondsPerSecond;
        uint remainder = (uint)((ulong)nanoseconds - whole * NanosecondsPerSecond);
        int at = Whole(whole, to);
        if (remainder == 0)
            return at;
        to[at++] = (byte)'.';

        uint pair = remainder / NanosecondsPerHundredth;
        remainder -= pair * NanosecondsPerHundredth;
        at = Pair(pair, to, at);
        // Clock ticks are hundredths of a second: most values end here.
        if (remainder != 0)
        {
            uint upper = remainder / 1000;
            pair = upper / 100;
            at = Pair(pair, to, at);
            at = Pair(upper - pair * 100, to, at);
            uint lower = remainder - upper * 1000;
            pair = lower / 10;
            at = Pair(pair, to, at);
            to[at++] = (byte)('0' + lower - pair * 10);
        }
        while (to[at - 1] == (byte)'0')
            at--;
        return at;
    }

    /// <summary>Writes a whole number.</summary>
    /// <returns>The number of bytes written, 20 at most.</returns>
    public static int Whole(ulong value, Span<byte> to)
    {
        if (value < 10)
        {
            to[0] = (byte)('0' + value);
            return 1;
        }
        int length = 2;
        for (ulong limit = 100; value >= limit; limit *= 10)
        {
            // The longest 64-bit number. A further digit would overflow the limit.
            if (++length == 20)
                break;
        }
        int at = length;
        while (value >= 100)
        {
            ulong higher = value / 100;
            at -= 2;
            Pair((uint)(value - higher * 100), to, at);
            value = higher;
        }
        if (at == 2)
            Pair((uint)value, to, 0);
        else
            to[0] = (byte)('0' + value);
        return length;
    }

    private static int Pair(uint value, Span<byte> to, int at)
    {
        Pairs.Slice((int)value * 2, 2).CopyTo(to[at..]);
        return at + 2;
    }
}
