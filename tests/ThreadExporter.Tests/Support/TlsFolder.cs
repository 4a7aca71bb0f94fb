using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ThreadExporter.Tests.Support;

/// <summary>A configuration with TLS, its certificate and key, and clients for it.</summary>
internal sealed class TlsFolder : IDisposable
{
    public const string Rest = "[[filter]]\nmatch = \"thread-exporter\"\n[web]\nenable_lifecycle = true\n";

    public TlsFolder()
    {
        Config = new TempConfig("");
        WriteConfig();
        Authority = new TestAuthority("authority");
        Write(Authority.Server());
    }

    public TempConfig Config { get; }

    public TestAuthority Authority { get; }

    public string Cert => Path.Combine(Config.Folder, "cert.pem");

    public string Key => Path.Combine(Config.Folder, "key.pem");

    public string Ca => Path.Combine(Config.Folder, "ca.pem");

    /// <summary>cert_file is in line 6, key_file in line 7, the parameter from line 8 on.</summary>
    public void WriteConfig(string more = "") => Config.Write($"{Rest}[web.tls]\ncert_file = \"{Cert}\"\nkey_file = \"{Key}\"\n{more}");

    /// <summary>Certificate first, then key, as two files must be.</summary>
    public void Write(X509Certificate2 certificate, string further = "")
    {
        Replace(Cert, certificate.ExportCertificatePem() + "\n" + further);
        Replace(Key, KeyOf(certificate));
    }

    public static string KeyOf(X509Certificate2 certificate) =>
        certificate.GetECDsaPrivateKey() is { } ecdsa ? ecdsa.ExportPkcs8PrivateKeyPem() : certificate.GetRSAPrivateKey()!.ExportPkcs8PrivateKeyPem();

    public static void Replace(string path, string content)
    {
        File.WriteAllText(path + ".new", content);
        File.Move(path + ".new", path, overwrite: true);
    }

    public Task<Daemon> StartAsync() => Daemon.StartAsync(["--config", Config.Path]);

    /// <summary>A client that trusts the authority and makes a new connection for each request.</summary>
    public HttpClient Client(Daemon daemon, X509Certificate2? own = null, SslProtocols protocols = SslProtocols.None, Action<X509Certificate2>? seen = null, TestAuthority? between = null)
    {
        SslClientAuthenticationOptions options = new() { EnabledSslProtocols = protocols };
        if (own is not null)
            options.ClientCertificateContext = SslStreamCertificateContext.Create(own, between is null ? [] : [between.Certificate], offline: true);
        options.RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
        {
            seen?.Invoke((X509Certificate2)certificate!);
            return IsFromAuthority((X509Certificate2)certificate!, chain!);
        };
        HttpClient client = new(new SocketsHttpHandler { SslOptions = options, PooledConnectionLifetime = TimeSpan.Zero })
        {
            BaseAddress = daemon.Http.BaseAddress,
            Timeout = TimeSpan.FromSeconds(20),
        };
        return client;
    }

    public static AuthenticationHeaderValue Basic(string user, string password) => new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));

    public void Dispose()
    {
        Authority.Dispose();
        Config.Dispose();
    }

    private bool IsFromAuthority(X509Certificate2 certificate, X509Chain presented)
    {
        using X509Chain chain = new();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(Authority.Certificate);
        chain.ChainPolicy.ExtraStore.AddRange(presented.ChainPolicy.ExtraStore);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1"));
        return chain.Build(certificate);
    }
}
