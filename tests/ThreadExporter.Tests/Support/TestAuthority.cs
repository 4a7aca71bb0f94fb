using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ThreadExporter.Tests.Support;

/// <summary>Signs certificates that are valid for an hour unless the test specifies otherwise.</summary>
internal sealed class TestAuthority : IDisposable
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1", ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    public TestAuthority(string name, TestAuthority? parent = null)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        DateTimeOffset now = DateTimeOffset.UtcNow;
        Certificate = parent is null
            ? request.CreateSelfSigned(now.AddDays(-2), now.AddDays(2))
            : Sign(request, parent.Certificate, now.AddDays(-2), now.AddDays(1)).CopyWithPrivateKey(key);
    }

    public X509Certificate2 Certificate { get; }

    public string Pem => Certificate.ExportCertificatePem();

    /// <summary>For 127.0.0.1.</summary>
    public X509Certificate2 Server(string name = "exporter", TimeSpan? from = null, TimeSpan? to = null, bool rsa = false) =>
        Issue(name, ServerAuthentication, from, to, rsa);

    public X509Certificate2 Client(string name = "prometheus", TimeSpan? from = null, TimeSpan? to = null) => Issue(name, ClientAuthentication, from, to, rsa: false);

    public void Dispose() => Certificate.Dispose();

    private X509Certificate2 Issue(string name, string purpose, TimeSpan? from, TimeSpan? to, bool rsa)
    {
        using ECDsa ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using RSA? slow = rsa ? RSA.Create(2048) : null;
        CertificateRequest request = slow is null
            ? new CertificateRequest($"CN={name}", ecdsa, HashAlgorithmName.SHA256)
            : new CertificateRequest($"CN={name}", slow, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        SubjectAlternativeNameBuilder names = new();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], critical: false));
        DateTimeOffset now = DateTimeOffset.UtcNow;
        X509Certificate2 signed = Sign(request, Certificate, now + (from ?? TimeSpan.FromHours(-1)), now + (to ?? TimeSpan.FromHours(1)));
        return slow is null ? signed.CopyWithPrivateKey(ecdsa) : signed.CopyWithPrivateKey(slow);
    }

    private static X509Certificate2 Sign(CertificateRequest request, X509Certificate2 issuer, DateTimeOffset from, DateTimeOffset to) =>
        request.Create(issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(issuer.GetECDsaPrivateKey()!), from, to, RandomNumberGenerator.GetBytes(12));
}
