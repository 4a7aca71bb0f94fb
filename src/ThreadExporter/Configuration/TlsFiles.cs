using System.Buffers;
using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ThreadExporter.Text;

namespace ThreadExporter.Configuration;

/// <summary>An error in a file of <c>[web.tls]</c>.</summary>
/// <param name="Key">The dotted key that has the path.</param>
/// <param name="Message">Starts with the path in quotes.</param>
internal readonly record struct TlsError(string Key, string Message)
{
    public override string ToString() => $"{Key}: {Message}";
}

/// <summary>The contents of the files of <c>[web.tls]</c> when they were read.</summary>
/// <param name="Context">The certificate with its key, and the intermediate certificates: what the server presents.</param>
/// <param name="ClientAuthorities">The CA certificates that client certificates are verified against.</param>
/// <param name="Digest">SHA-256 of what was read, to detect a change.</param>
internal sealed record TlsFiles(SslStreamCertificateContext Context, X509Certificate2Collection ClientAuthorities, string Digest)
{
    public const string CertKey = "web.tls.cert_file", KeyKey = "web.tls.key_file", ClientCaKey = "web.tls.client_ca_file";

    /// <summary>Four times a bundle of all public CAs.</summary>
    private const int MaxBytes = 1 << 20;

    /// <summary>When the certificate expires.</summary>
    public DateTime NotAfter => Context.TargetCertificate.NotAfter.ToUniversalTime();

    /// <summary>
    /// Reads and checks the files. Null and all errors when they are unusable. An expired certificate is not an error here: see
    /// <see cref="GetDateError"/>.
    /// </summary>
    public static TlsFiles? Load(TlsConfig config, out ImmutableArray<TlsError> errors)
    {
        List<TlsError> found = new();
        using IncrementalHash digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        X509Certificate2Collection? certificates = ReadCertificates(CertKey, config.CertFile, digest, found);
        char[]? key = ReadText(KeyKey, config.KeyFile, digest, found);
        X509Certificate2Collection? authorities = config.ClientCaFile.Length > 0
            ? ReadCertificates(ClientCaKey, config.ClientCaFile, digest, found)
            : [];
        // Go trusts a CA without its issuers. In .NET a chain must end in a root, so a CA without its issuer verifies no client.
        if (authorities?.FirstOrDefault(a => !authorities.Any(i => i.SubjectName.RawData.AsSpan().SequenceEqual(a.IssuerName.RawData))) is { } orphan)
        {
            string file = Printable.Quote(config.ClientCaFile), subject = Printable.Quote(orphan.Subject);
            found.Add(new(ClientCaKey, $"{file} contains {subject} without its issuer: add the CAs up to the self-signed root"));
            authorities = null;
        }
        X509Certificate2? own = certificates is [var leaf, ..] && key is not null ? WithKey(leaf, key, config, found) : null;
        key.AsSpan().Clear();
        errors = [.. found];
        if (own is null || certificates is null || authorities is null)
            return null;
        // Offline: nothing is fetched from the network, neither CA certificates nor revocation data.
        SslStreamCertificateContext context = SslStreamCertificateContext.Create(own, [.. certificates.Skip(1)], offline: true);
        return new(context, authorities, Convert.ToHexString(digest.GetHashAndReset()));
    }

    /// <summary>The digest of the current contents of the files. Contents, not dates: this also detects re-pointed symlinks, as in Kubernetes.</summary>
    public static string DigestOf(TlsConfig config)
    {
        using IncrementalHash digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string path in (ReadOnlySpan<string>)[config.CertFile, config.KeyFile, config.ClientCaFile])
        {
            if (path.Length > 0)
            {
                _ = Read(path, digest, out char[]? text);
                text.AsSpan().Clear();
            }
        }
        return Convert.ToHexString(digest.GetHashAndReset());
    }

    /// <summary>Null, or that the certificate is not valid now: clients that verify it will reject the server.</summary>
    public string? GetDateError(DateTime utcNow)
    {
        DateTime notBefore = Context.TargetCertificate.NotBefore.ToUniversalTime();
        if (utcNow > NotAfter)
            return Message($"the certificate expired at {NotAfter:yyyy-MM-dd HH:mm:ss} UTC");
        return utcNow < notBefore ? Message($"the certificate is not valid before {notBefore:yyyy-MM-dd HH:mm:ss} UTC") : null;

        static string Message(FormattableString what) => FormattableString.Invariant(what) + ": clients that verify it refuse the connection";
    }

    private static X509Certificate2Collection? ReadCertificates(string name, string path, IncrementalHash digest, List<TlsError> errors)
    {
        if (ReadText(name, path, digest, errors) is not { } text)
            return null;
        X509Certificate2Collection certificates = new();
        try
        {
            certificates.ImportFromPem(text);
        }
        catch (CryptographicException)
        {
            errors.Add(new(name, $"{Printable.Quote(path)} contains an invalid CERTIFICATE block"));
            return null;
        }
        if (certificates.Count > 0)
            return certificates;
        errors.Add(new(name, $"{Printable.Quote(path)} contains no PEM certificate"));
        return null;
    }

    private static X509Certificate2? WithKey(X509Certificate2 certificate, char[] text, TlsConfig config, List<TlsError> errors)
    {
        const string Rsa = "1.2.840.113549.1.1.1", Ecdsa = "1.2.840.10045.2.1";
        string file = Printable.Quote(config.KeyFile);
        string? kind = certificate.GetKeyAlgorithm() switch { Rsa => "RSA", Ecdsa => "ECDSA", _ => null };
        if (kind is null)
            errors.Add(new(CertKey, $"{Printable.Quote(config.CertFile)} has an unsupported key type: must be RSA or ECDSA"));
        else if (KeyBlocks(text, out bool isEncrypted) is var blocks && isEncrypted)
            errors.Add(new(KeyKey, $"{file} is encrypted: passphrases are not supported"));
        else if (blocks != 1)
            errors.Add(new(KeyKey, $"{file} {(blocks == 0 ? "contains no PEM private key" : "contains more than one private key")}"));
        else
        {
            try
            {
                if (kind == "RSA")
                {
                    using RSA rsa = RSA.Create();
                    rsa.ImportFromPem(text);
                    return certificate.CopyWithPrivateKey(rsa);
                }
                using ECDsa ecdsa = ECDsa.Create();
                ecdsa.ImportFromPem(text);
                return certificate.CopyWithPrivateKey(ecdsa);
            }
            // Our message is clearer than the framework's. An ArgumentException means another key type or a key that does not match.
            catch (Exception e) when (e is CryptographicException or ArgumentException)
            {
                errors.Add(new(KeyKey, $"{file} is not the {kind} key of the certificate in {CertKey}"));
            }
        }
        return null;
    }

    /// <summary>The number of private keys in a text.</summary>
    private static int KeyBlocks(ReadOnlySpan<char> text, out bool isEncrypted)
    {
        // The older encryption uses headers, which RFC 7468 does not allow, so PemEncoding does not find such a block.
        isEncrypted = text.Contains("ENCRYPTED", StringComparison.Ordinal);
        int blocks = 0;
        while (PemEncoding.TryFind(text, out PemFields block))
        {
            if (text[block.Label] is "PRIVATE KEY" or "RSA PRIVATE KEY" or "EC PRIVATE KEY")
                blocks++;
            text = text[block.Location.End..];
        }
        return blocks;
    }

    private static char[]? ReadText(string name, string path, IncrementalHash digest, List<TlsError> errors)
    {
        if (Read(path, digest, out char[]? text) is { } error)
            errors.Add(new(name, $"{Printable.Quote(path)} cannot be read: {error}"));
        return text;
    }

    /// <summary>Null, or why the file cannot be read. The digest then includes the reason in place of the contents.</summary>
    private static string? Read(string path, IncrementalHash digest, out char[]? text)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(MaxBytes + 1);
        string? error = ConfigFile.Read(path, buffer.AsSpan(0, MaxBytes + 1), out int length);
        Span<byte> content = buffer.AsSpan(0, length);
        digest.AppendData(error is null ? SHA256.HashData(content) : Encoding.UTF8.GetBytes(error));
        text = error is null ? Encoding.Latin1.GetChars(buffer, 0, length) : null;
        // The next user of the buffer must not find a key in it.
        content.Clear();
        ArrayPool<byte>.Shared.Return(buffer);
        return error;
    }
}
