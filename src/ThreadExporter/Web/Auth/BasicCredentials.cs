using System.Text;
using Microsoft.Extensions.Primitives;
using ThreadExporter.Linux;

namespace ThreadExporter.Web.Auth;

/// <summary>User name and password of an <c>Authorization</c> header (RFC 7617), in UTF-8.</summary>
internal sealed record BasicCredentials(string User, byte[] Password)
{
    private const int MaxUser = 256;

    /// <summary>In characters of base64, which are four for three bytes.</summary>
    private const int MaxEncoded = (MaxUser + 1 + Crypt.MaxPassword + 2) / 3 * 4;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Null when there is no header or when it is none that a user could have: no guess at what was meant.</summary>
    public static BasicCredentials? Parse(StringValues header)
    {
        const string Scheme = "Basic ";
        if (header is not [{ } text] || !text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return null;
        ReadOnlySpan<char> encoded = text.AsSpan(Scheme.Length).Trim(' ');
        byte[] decoded = new byte[MaxEncoded / 4 * 3];
        // The framework's decoder would skip white space.
        if (encoded.Length > MaxEncoded || encoded.ContainsAny(" \t\r\n") || !Convert.TryFromBase64Chars(encoded, decoded, out int length))
            return null;
        ReadOnlySpan<byte> pair = decoded.AsSpan(0, length);
        int colon = pair.IndexOf((byte)':');
        // crypt_r would take a NUL for the end of the password, and so the first letters of it for all.
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

    // The compiler's would print the user, who may have typed the password there.
    public override string ToString() => nameof(BasicCredentials);
}
