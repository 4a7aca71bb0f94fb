using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;
using ThreadExporter.Text;

namespace ThreadExporter.Configuration;

/// <summary>Values that are strings in the file.</summary>
internal static class ConfigText
{
    private static readonly (string Unit, long Ticks)[] TimeUnits =
    [
        ("ms", TimeSpan.TicksPerMillisecond),
        ("s", TimeSpan.TicksPerSecond),
        ("m", TimeSpan.TicksPerMinute),
        ("h", TimeSpan.TicksPerHour),
    ];

    private static readonly (string Unit, long Bytes)[] SizeUnits = [("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("B", 1)];

    private static readonly SearchValues<char> Controls =
        SearchValues.Create([.. Enumerable.Range(0, 0xA0).Select(c => (char)c).Where(char.IsControl)]);

    /// <summary>A whole number and <c>ms</c>, <c>s</c>, <c>m</c> or <c>h</c>. A value that does not fit becomes the longest possible time.</summary>
    public static bool TryParseDuration(string text, out TimeSpan duration)
    {
        bool valid = TryParse(text, TimeUnits, out long ticks);
        duration = new TimeSpan(ticks);
        return valid;
    }

    /// <summary>
    /// A whole number and <c>B</c>, <c>KiB</c>, <c>MiB</c> or <c>GiB</c>, in bytes. A value that does not fit becomes <see cref="long.MaxValue"/>.
    /// </summary>
    public static bool TryParseSize(string text, out long bytes) => TryParse(text, SizeUnits, out bytes);

    private static bool TryParse(string text, (string Unit, long Factor)[] units, out long value)
    {
        value = 0;
        int digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        if (digits <= 0)
            return false;
        foreach ((string unit, long factor) in units)
        {
            if (!text.AsSpan(digits).SequenceEqual(unit))
                continue;
            bool fits = long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out long number)
                && number <= long.MaxValue / factor;
            value = fits ? number * factor : long.MaxValue;
            return true;
        }
        return false;
    }

    /// <summary>Null, or what is wrong with an address to listen on.</summary>
    public static string? GetListenError(string address)
    {
        int colon = address.LastIndexOf(':');
        if (colon < 0)
            return $"{Printable.Quote(address)} is not a valid address: it needs a port, as in \":9199\"";
        string host = address[..colon];
        if (!int.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) || port > 65535)
            return $"{Printable.Quote(address)} is not a valid address: the port must be 0-65535";
        if (host.StartsWith('[') && host.EndsWith(']') && host.Contains(':', StringComparison.Ordinal) && IPAddress.TryParse(host[1..^1], out _))
            return null;
        if (host.Contains(':', StringComparison.Ordinal))
            return $"{Printable.Quote(address)} is not a valid address: IPv6 addresses need brackets, as in \"[::1]:9199\"";
        // The longest DNS name; the runtime throws an exception for longer ones.
        if (host.Length > 253)
            return $"{Printable.Quote(address)} is not a valid address: the name is longer than 253 characters";
        // Only digits and dots: an IPv4 address. The runtime would read "1.2" as 1.0.0.2.
        bool isNumeric = host.Length > 0 && host.All(c => c == '.' || char.IsAsciiDigit(c));
        bool isValid = isNumeric
            ? IPAddress.TryParse(host, out IPAddress? ip) && ip.ToString() == host
            : host.All(c => c is '.' or '-' || char.IsAsciiLetterOrDigit(c)) && !host.StartsWith('.') && !host.StartsWith('-');
        return isValid ? null : $"{Printable.Quote(address)} is not a valid address: must be \":PORT\", \"IPV4:PORT\", \"[IPV6]:PORT\" or \"NAME:PORT\"";
    }

    /// <summary>Null, or what is wrong with the path of the metrics. Routes are case-insensitive.</summary>
    public static string? GetTelemetryPathError(string path)
    {
        if (!path.StartsWith('/') || path.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('/' or '-' or '_' or '.' or '~')))
            return "must start with \"/\" and contain only letters, digits and - _ . ~ /";
        if (path == "/" || path.EndsWith('/') || path.Contains("//", StringComparison.Ordinal) || path.Split('/').Any(s => s is "." or ".."))
            return "must not end with \"/\" or contain an empty, \".\" or \"..\" segment";
        string first = path.Split('/')[1];
        // The files of the hot page are beside it: /hot.js and others.
        bool isTaken = path.Equals("/hot", StringComparison.OrdinalIgnoreCase) || path.StartsWith("/hot.", StringComparison.OrdinalIgnoreCase)
            || first.Equals("api", StringComparison.OrdinalIgnoreCase) || first == "-";
        return isTaken ? $"must not be {Printable.Quote(path)}: \"/hot\", \"/api\" and \"/-\" are used by other pages" : null;
    }

    /// <summary>Null, or what is wrong with a path that must be absolute.</summary>
    public static string? GetPathError(string path) =>
        !path.StartsWith('/') ? "must be an absolute path" : GetControlCharacterError(path) ?? GetLengthError(path);

    /// <summary>
    /// Null, or that a path, or a glob for paths, contains a control character. The kernel ends a path at a NUL. The others are never intended,
    /// and would move a terminal's cursor wherever the path is shown.
    /// </summary>
    public static string? GetControlCharacterError(string path)
    {
        int at = path.AsSpan().IndexOfAny(Controls);
        return at < 0 ? null : FormattableString.Invariant($"must not contain a control character: character {at + 1} is \\u{(int)path[at]:X4}");
    }

    /// <summary>Null, or that the path is too long to be opened (PATH_MAX, without the NUL at its end).</summary>
    public static string? GetLengthError(string path, int maxBytes = 4095) => Encoding.UTF8.GetByteCount(path) > maxBytes
        ? FormattableString.Invariant($"must not be longer than {maxBytes} bytes")
        : null;

    /// <summary>A key for a message: a bare key unchanged, any other key quoted.</summary>
    public static string Key(string key) =>
        key.Length is > 0 and <= 100 && key.All(c => c is '-' or '_' || char.IsAsciiLetterOrDigit(c)) ? key : Printable.Quote(key);
}
