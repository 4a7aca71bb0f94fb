using System.Text;
using Microsoft.Extensions.Primitives;
using ThreadExporter.Linux;

namespace ThreadExporter.Web.Auth;

/// <summary>User name and password of an <c>Authorization</c> header (RFC 7617), in UTF-8.</summary>
internal sealed record BasicCredentials(string User, byte[] Password)
{
    private const int MaxUser = 256;

    /// <summary>In base64 characters: four for three bytes.</summary>
    private const int MaxEncoded = (MaxUser + 1 + Crypt.MaxPassword + 2) / 3 * 4;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Null when the header is missing or malformed; malformed input is never corrected.</summary>
    public static BasicCredentials? Parse(StringValues header)
    {
        const string Scheme = "Basic ";
        if (header is not [{ } text] || !text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return null;
        ReadOnlySpan<char> encoded = text.AsSpan(Scheme.Length).Trim(' ');
        byte[] decoded = new byte[MaxEncoded / 4 * 3];
        // The framework's decoder skips white space.
        if (encoded.Length > MaxEncoded || encoded.ContainsAny(" \t\r\n") || !Convert.TryFromBase64Chars(encoded, decoded, out int length))
            return null;
        ReadOnlySpan<byte> pair = decoded.AsSpan(0, length);
        int colon = pair.IndexOf((byte)':');
        // crypt_r stops at a NUL, so a password could be cut short there.
        if (colon is < 1 or > MaxUser || pair.Contains((byte)0) || pair.Length - colon - 1 > Crypt.MaxPassword)
            return null;
        try
        {
            return new BasicCredentials(Strict.GetString(pair[..colon]), pair[(colon + 1)..].ToArray());
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    // The generated one prints the user name, and some users type their password there.
    public override string ToString() => nameof(BasicCredentials);
}
