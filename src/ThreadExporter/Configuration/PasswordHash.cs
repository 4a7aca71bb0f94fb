using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using ThreadExporter.Linux;

namespace ThreadExporter.Configuration;

/// <summary>Hashes in <c>web.basic_auth_users</c>: which ones are accepted, and whether a password matches.</summary>
internal static partial class PasswordHash
{
    /// <summary>
    /// Null, or what is wrong with a hash. The message never contains the hash. The cost limits keep one check below a few seconds
    /// and 256 MiB: bcrypt 15, sha512-crypt with a million rounds, yescrypt with N=2^16 and r=32.
    /// </summary>
    public static string? GetHashError(string hash)
    {
        if (Bcrypt().Match(hash) is { Success: true } bcrypt)
            return string.CompareOrdinal(bcrypt.Groups[1].Value, "15") > 0 ? "is too expensive: bcrypt cost must be at most 15" : null;
        if (Sha512().Match(hash) is { Success: true } sha)
        {
            return sha.Groups[1] is { Success: true } rounds && int.Parse(rounds.ValueSpan, CultureInfo.InvariantCulture) > 1_000_000
                ? "is too expensive: sha512-crypt must have at most 1000000 rounds"
                : null;
        }
        if (Yescrypt().IsMatch(hash))
            return null;
        return "must be a complete bcrypt, sha512-crypt or yescrypt hash, as `htpasswd -nB` prints it after the colon";
    }

    /// <summary>Whether this system's libcrypt supports the algorithm of a valid hash. Tried at the lowest cost: a few milliseconds.</summary>
    public static bool IsSupported(string hash)
    {
        string cheapest = hash[1] switch
        {
            '2' => hash[..4] + "04$......................",
            '6' => "$6$rounds=1000$saltsalt$",
            _ => "$y$j75$saltsaltsaltsalt$",
        };
        byte[] result = new byte[Crypt.MaxHash];
        return Crypt.TryHash("x"u8, cheapest, result, out int length) && result.AsSpan(0, length).StartsWith(Encoding.ASCII.GetBytes(cheapest[..4]));
    }

    /// <summary>
    /// Whether the password, which must not contain NUL, has this hash. Takes as long as the hash's cost requires; the comparison
    /// takes constant time.
    /// </summary>
    public static bool Verify(ReadOnlySpan<byte> password, string hash)
    {
        byte[] result = new byte[Crypt.MaxHash];
        byte[] expected = Encoding.ASCII.GetBytes(hash);
        return Crypt.TryHash(password, hash, result, out int length) && CryptographicOperations.FixedTimeEquals(result.AsSpan(0, length), expected);
    }

    [GeneratedRegex(@"^\$2[aby]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}\z")]
    private static partial Regex Bcrypt();

    [GeneratedRegex(@"^\$6\$(?:rounds=([1-9][0-9]{3,8})\$)?[^$:*!\\\x00-\x20\x7f-\uffff]{1,16}\$[./A-Za-z0-9]{86}\z")]
    private static partial Regex Sha512();

    // The first two characters after the flavour j are log2 N - 1 and r - 1 in crypt's alphabet.
    [GeneratedRegex(@"^\$y\$j[./0-9A-D][./0-9A-T]\$[./A-Za-z0-9]{1,86}\$[./A-Za-z0-9]{43}\z")]
    private static partial Regex Yescrypt();
}
