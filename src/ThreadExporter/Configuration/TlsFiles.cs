using System.Buffers;
using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ThreadExporter.Text;

namespace ThreadExporter.Configuration;

/// <summary>What is wrong with a file of <c>[web.tls]</c>.</summary>
/// <param name="Key">The dotted key that names the file.</param>
/// <param name="Fault">Begins with the path in quotes.</param>
internal readonly record struct TlsError(string Key, string Fault)
{
    public override string ToString() => $"{Key}: {Fault}";
}

/// <summary>What the files that <c>[web.tls]</c> names held when they were read.</summary>
/// <param name="Context">The certificate with its key, and those between it and its authority: what the server presents.</param>
/// <param name="ClientAuthorities">Whom client certificates are verified against.</param>
/// <param name="Digest">SHA-256 of what was read, to notice a change.</param>
internal sealed record TlsFiles(SslStreamCertificateContext Context, X509Certificate2Collection ClientAuthorities, string Digest)
{
    public const string CertKey = "web.tls.cert_file", KeyKey = "web.tls.key_file", ClientCaKey = "web.tls.client_ca_file";

    /// <summary>A bundle of all public authorities is a quarter of it.</summary>
    private const int MaxBytes = 1 << 20;

    /// <summary>When the certificate ends.</summary>
    public DateTime NotAfter => Context.TargetCertificate.NotAfter.ToUniversalTime();

    /// <summary>Reads and checks the files. Null with every fault when they cannot be used. Dates are no fault: see <see cref="GetDateError"/>.</summary>
    public static TlsFiles? Load(TlsConfig config, out ImmutableArray<TlsError> faults)
    {
        List<TlsError> found = new();
        using IncrementalHash digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        X509Certificate2Collection? certificates = ReadCertificates(CertKey, config.CertFile, digest, found);
        char[]? key = ReadText(KeyKey, config.KeyFile, digest, found);
        X509Certificate2Collection? authorities = config.ClientCaFile.Length > 0 ? ReadCertificates(ClientCaKey, config.ClientCaFile, digest, found) : [];
        // Go trusts an authority without its issuers; the framework's chains end in a root, and one that does not verifies nobody.
        if (authorities?.FirstOrDefault(a => !authorities.Any(i => i.SubjectName.RawData.AsSpan().SequenceEqual(a.IssuerName.RawData))) is { } orphan)
        {
            found.Add(new(ClientCaKey, $"{Printable.Quote(config.ClientCaFile)} holds {Printable.Quote(orphan.Subject)} without its issuer: add the authorities up to the self-signed root"));
            authorities = null;
        }
        X509Certificate2? own = certificates is [var leaf, ..] && key is not null ? WithKey(leaf, key, config, found) : null;
        key.AsSpan().Clear();
        faults = [.. found];
        if (own is null || certificates is null || authorities is null)
            return null;
        // Offline: nothing is fetched from the network, neither an authority nor its word about revocation.
        SslStreamCertificateContext context = SslStreamCertificateContext.Create(own, [.. certificates.Skip(1)], offline: true);
        return new(context, authorities, Convert.ToHexString(digest.GetHashAndReset()));
    }

    /// <summary>The digest of what the files hold now. Contents, not dates: they also tell through links that were set anew, as Kubernetes does.</summary>
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

    /// <summary>Null, or that the certificate is not valid now: clients that verify it will refuse the server.</summary>
    public string? GetDateError(DateTime utcNow)
    {
        DateTime notBefore = Context.TargetCertificate.NotBefore.ToUniversalTime();
        if (utcNow > NotAfter)
            return FormattableString.Invariant($"the certificate expired at {NotAfter:yyyy-MM-dd HH:mm:ss} UTC: clients that verify it refuse the connection");
        return utcNow < notBefore
            ? FormattableString.Invariant($"the certificate is valid only from {notBefore:yyyy-MM-dd HH:mm:ss} UTC on: clients that verify it refuse the connection")
            : null;
    }

    private static X509Certificate2Collection? ReadCertificates(string name, string path, IncrementalHash digest, List<TlsError> faults)
    {
        if (ReadText(name, path, digest, faults) is not { } text)
            return null;
        X509Certificate2Collection certificates = new();
        try
        {
            certificates.ImportFromPem(text);
        }
        catch (CryptographicException)
        {
            faults.Add(new(name, $"{Printable.Quote(path)} holds a CERTIFICATE block that is no certificate"));
            return null;
        }
        if (certificates.Count > 0)
            return certificates;
        faults.Add(new(name, $"{Printable.Quote(path)} holds no certificate in PEM"));
        return null;
    }

    private static X509Certificate2? WithKey(X509Certificate2 certificate, char[] text, TlsConfig config, List<TlsError> faults)
    {
        const string Rsa = "1.2.840.113549.1.1.1", Ecdsa = "1.2.840.10045.2.1";
        string file = Printable.Quote(config.KeyFile);
        string? kind = certificate.GetKeyAlgorithm() switch { Rsa => "RSA", Ecdsa => "ECDSA", _ => null };
        if (kind is null)
            faults.Add(new(CertKey, $"{Printable.Quote(config.CertFile)} is for a kind of key that cannot be used: RSA and ECDSA can"));
        else if (KeyBlocks(text, out bool isEncrypted) is var blocks && isEncrypted)
            faults.Add(new(KeyKey, $"{file} is encrypted: nobody is there to type its passphrase"));
        else if (blocks != 1)
            faults.Add(new(KeyKey, $"{file} {(blocks == 0 ? "holds no private key in PEM" : "holds more than one private key")}"));
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
            // Not the framework's text, which says less; an ArgumentException is another kind of key or another key.
            catch (Exception e) when (e is CryptographicException or ArgumentException)
            {
                faults.Add(new(KeyKey, $"{file} is not the {kind} key of the certificate in {CertKey}"));
            }
        }
        return null;
    }

    /// <summary>How many private keys stand in a text.</summary>
    private static int KeyBlocks(ReadOnlySpan<char> text, out bool isEncrypted)
    {
        // The older kind of encryption stands in headers, with which a block is not PEM as RFC 7468 has it.
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

    private static char[]? ReadText(string name, string path, IncrementalHash digest, List<TlsError> faults)
    {
        if (Read(path, digest, out char[]? text) is { } fault)
            faults.Add(new(name, $"{Printable.Quote(path)} cannot be read: {fault}"));
        return text;
    }

    /// <summary>Null, or why the file cannot be read, which the digest then takes in its place.</summary>
    private static string? Read(string path, IncrementalHash digest, out char[]? text)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(MaxBytes + 1);
        string? fault = ConfigFile.Read(path, buffer.AsSpan(0, MaxBytes + 1), out int length);
        Span<byte> content = buffer.AsSpan(0, length);
        digest.AppendData(fault is null ? SHA256.HashData(content) : Encoding.UTF8.GetBytes(fault));
        text = fault is null ? Encoding.Latin1.GetChars(buffer, 0, length) : null;
        // The next who rents it must not find a key in it.
        content.Clear();
        ArrayPool<byte>.Shared.Return(buffer);
        return fault;
    }
}
