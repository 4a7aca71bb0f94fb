using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace ThreadExporter.Linux;

/// <summary>
/// crypt_r(3), the only call into libcrypt. It is looked up at run time instead of declared as a P/Invoke, because the name of the library differs
/// (Fedora, and RHEL from 9: libcrypt.so.2) and because a host without password users may not have it.
/// </summary>
public static unsafe class Crypt
{
    /// <summary>The longest password, in bytes; libxcrypt rejects longer ones (CRYPT_MAX_PASSPHRASE_SIZE).</summary>
    public const int MaxPassword = 511;

    /// <summary>The longest hash, in bytes, that libxcrypt returns (CRYPT_OUTPUT_SIZE).</summary>
    public const int MaxHash = 384;

    // struct crypt_data has 32 KiB in libxcrypt, and 131,232 bytes in older versions of glibc.
    private const int DataSize = 256 * 1024;

    private static readonly delegate* unmanaged<byte*, byte*, byte*, byte*> CryptR = Find();

    public static bool IsAvailable => CryptR is not null;

    /// <summary>Hashes a password, which must not contain NUL. Takes as long as the setting's cost requires.</summary>
    /// <param name="password">At most <see cref="MaxPassword"/> bytes.</param>
    /// <param name="setting">A hash, or the part of one before the digest: algorithm, cost and salt.</param>
    /// <param name="result">Receives the hash; <see cref="MaxHash"/> bytes are always enough.</param>
    /// <param name="length">How many bytes of <paramref name="result"/> are the hash.</param>
    /// <returns>False when libcrypt is missing or rejects the setting or the password: it returns NULL or a result that starts with '*'.</returns>
    public static bool TryHash(ReadOnlySpan<byte> password, string setting, Span<byte> result, out int length)
    {
        length = 0;
        if (CryptR is null || password.Length > MaxPassword)
            return false;
        Span<byte> phrase = stackalloc byte[MaxPassword + 1];
        phrase.Clear();
        password.CopyTo(phrase);
        byte* data = (byte*)NativeMemory.AllocZeroed(DataSize);
        try
        {
            fixed (byte* phrasePointer = phrase, settingPointer = Encoding.ASCII.GetBytes(setting + '\0'))
            {
                byte* hash = CryptR(phrasePointer, settingPointer, data);
                if (hash is null || *hash == (byte)'*')
                    return false;
                ReadOnlySpan<byte> text = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(hash);
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
        foreach (string name in (ReadOnlySpan<string>)["libcrypt.so.1", "libcrypt.so.2"])
        {
            if (NativeLibrary.TryLoad(name, out nint library) && NativeLibrary.TryGetExport(library, "crypt_r", out nint function))
                return (delegate* unmanaged<byte*, byte*, byte*, byte*>)function;
        }
        return null;
    }
}
