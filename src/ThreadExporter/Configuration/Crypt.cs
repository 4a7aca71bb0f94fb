using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace ThreadExporter.Configuration;

/// <summary>
/// Password hashes and crypt_r(3), the one call into libcrypt. It stands here, lowest of those who need it: the loader asks
/// whether the system knows a kind of hash, the server checks passwords. By pointer and not by a P/Invoke, because the name
/// of the library differs (Fedora and RHEL from 9 on: .2) and because a host without users need not have it.
/// </summary>
internal static unsafe partial class Crypt
{
    /// <summary>The longest password in bytes; libxcrypt refuses longer ones (CRYPT_MAX_PASSPHRASE_SIZE).</summary>
    public const int MaxPassword = 511;

    // struct crypt_data takes 32 KiB in libxcrypt and 131,232 bytes in glibc before it.
    private const int DataSize = 256 * 1024;

    private static readonly delegate* unmanaged<byte*, byte*, byte*, byte*> CryptR = Find();

    public static bool IsAvailable => CryptR is not null;

    /// <summary>
    /// Null, or what is wrong with a hash. It never repeats the hash. The bounds on cost keep a check within a few seconds
    /// and 256 MiB: bcrypt 15, a million rounds, yescrypt N=2^16 with r=32.
    /// </summary>
    public static string? GetHashError(string hash)
    {
        if (Bcrypt().Match(hash) is { Success: true } bcrypt)
            return string.CompareOrdinal(bcrypt.Groups[1].Value, "15") > 0 ? "costs too much to check: bcrypt up to cost 15" : null;
        if (Sha512().Match(hash) is { Success: true } sha)
            return sha.Groups[1] is { Success: true } rounds && int.Parse(rounds.ValueSpan, CultureInfo.InvariantCulture) > 1_000_000 ? "costs too much to check: sha512-crypt up to 1000000 rounds" : null;
        if (Yescrypt().IsMatch(hash))
            return null;
        return "must be a whole bcrypt, sha512-crypt or yescrypt hash, as `htpasswd -nB` prints it behind the colon";
    }

    /// <summary>Whether this system's libcrypt knows the kind of a hash that has no fault. Tried with the cheapest cost: a few milliseconds.</summary>
    public static bool IsSupported(string hash)
    {
        var cheapest = hash[1] switch
        {
            '2' => hash[..4] + "04$......................",
            '6' => "$6$rounds=1000$saltsalt$",
            _ => "$y$j75$saltsaltsaltsalt$",
        };
        var result = new byte[MaxHash];
        return TryCrypt("x"u8, cheapest, result, out var length) && result.AsSpan(0, length).StartsWith(Encoding.ASCII.GetBytes(cheapest[..4]));
    }

    /// <summary>
    /// Whether the password, which must hold no NUL, has that hash. Takes the time that the hash's cost says; the comparison
    /// takes the same time wherever they differ.
    /// </summary>
    public static bool Verify(ReadOnlySpan<byte> password, string hash)
    {
        var result = new byte[MaxHash];
        var expected = Encoding.ASCII.GetBytes(hash);
        return TryCrypt(password, hash, result, out var length) && CryptographicOperations.FixedTimeEquals(result.AsSpan(0, length), expected);
    }

    // The longest that libxcrypt gives out (CRYPT_OUTPUT_SIZE).
    private const int MaxHash = 384;

    /// <summary>False: libcrypt does not take the setting, the password or is not there. It marks that by a result that begins with '*', or by NULL.</summary>
    private static bool TryCrypt(ReadOnlySpan<byte> password, string setting, Span<byte> result, out int length)
    {
        length = 0;
        if (CryptR is null || password.Length > MaxPassword)
            return false;
        Span<byte> phrase = stackalloc byte[MaxPassword + 1];
        phrase.Clear();
        password.CopyTo(phrase);
        var data = (byte*)NativeMemory.AllocZeroed(DataSize);
        try
        {
            fixed (byte* phrasePointer = phrase, settingPointer = Encoding.ASCII.GetBytes(setting + '\0'))
            {
                var hash = CryptR(phrasePointer, settingPointer, data);
                if (hash is null || *hash == (byte)'*')
                    return false;
                var text = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(hash);
                length = text.Length;
                return text.TryCopyTo(result);
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(phrase);
            CryptographicOperations.ZeroMemory(new Span<byte>(data, DataSize));
            NativeMemory.Free(data);
        }
    }

    private static delegate* unmanaged<byte*, byte*, byte*, byte*> Find()
    {
        foreach (var name in (ReadOnlySpan<string>)["libcrypt.so.1", "libcrypt.so.2"])
        {
            if (NativeLibrary.TryLoad(name, out var library) && NativeLibrary.TryGetExport(library, "crypt_r", out var function))
                return (delegate* unmanaged<byte*, byte*, byte*, byte*>)function;
        }
        return null;
    }

    [GeneratedRegex(@"^\$2[aby]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}\z")]
    private static partial Regex Bcrypt();

    [GeneratedRegex(@"^\$6\$(?:rounds=([1-9][0-9]{3,8})\$)?[^$:*!\\\x00-\x20\x7f-\uffff]{1,16}\$[./A-Za-z0-9]{86}\z")]
    private static partial Regex Sha512();

    // The first two characters behind the flavour j are log2 N - 1 and r - 1 in crypt's alphabet.
    [GeneratedRegex(@"^\$y\$j[./0-9A-D][./0-9A-T]\$[./A-Za-z0-9]{1,86}\$[./A-Za-z0-9]{43}\z")]
    private static partial Regex Yescrypt();
}
