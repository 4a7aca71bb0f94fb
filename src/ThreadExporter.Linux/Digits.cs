namespace ThreadExporter.Linux;

/// <summary>Reads decimal numbers at the start of a span, as the kernel prints them. Each call moves the span past what it read.</summary>
internal static class Digits
{
    public static bool TryReadULong(ref ReadOnlySpan<byte> rest, out ulong value)
    {
        value = 0;
        int length = 0;
        while (length < rest.Length)
        {
            uint digit = (uint)rest[length] - '0';
            if (digit > 9)
                break;
            if (value > (ulong.MaxValue - digit) / 10)
                return false;
            value = (value * 10) + digit;
            length++;
        }
        rest = rest[length..];
        return length > 0;
    }

    /// <summary>
    /// An unsigned 64-bit counter. A value that no counter reaches (a small negative number printed as unsigned) is read as -1, unknown, so that
    /// the other values are not lost.
    /// </summary>
    public static bool TryReadCount(ref ReadOnlySpan<byte> rest, out long value)
    {
        bool valid = TryReadULong(ref rest, out ulong unsigned);
        value = !valid ? 0 : unsigned <= long.MaxValue ? (long)unsigned : -1;
        return valid;
    }

    public static bool TryReadUInt(ref ReadOnlySpan<byte> rest, out uint value)
    {
        bool valid = TryReadULong(ref rest, out ulong unsigned) && unsigned <= uint.MaxValue;
        value = valid ? (uint)unsigned : 0;
        return valid;
    }

    public static bool TryReadInt(ref ReadOnlySpan<byte> rest, out int value)
    {
        bool valid = TryReadULong(ref rest, out ulong unsigned) && unsigned <= int.MaxValue;
        value = valid ? (int)unsigned : 0;
        return valid;
    }

    /// <summary>Reads one byte if it is <paramref name="expected"/>.</summary>
    public static bool TryTake(ref ReadOnlySpan<byte> rest, byte expected)
    {
        if (rest.IsEmpty || rest[0] != expected)
            return false;
        rest = rest[1..];
        return true;
    }
}
