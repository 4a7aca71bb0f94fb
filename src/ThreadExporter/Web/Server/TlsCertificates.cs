using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using ThreadExporter.Configuration;
using ThreadExporter.Exposition;
using ThreadExporter.Settings;

namespace ThreadExporter.Web.Server;

/// <summary>
/// What each new connection is secured with: the files as the configuration in force loaded them, or as they were written
/// since. Every second it looks at what they hold. Files that cannot be used leave those before in force, with one warning.
/// </summary>
internal sealed class TlsCertificates(ConfigHolder state, SelfMetrics metrics, ILogger<TlsCertificates> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly object _gate = new();
    private ActiveCertificates _active = new(state.Current, state.Current.Config.Web.Tls, state.Current.Tls!, Usable: true);
    private string _lastSeen = state.Current.Tls!.Digest;
    private (string Digest, TlsFiles? Files) _refused = ("", null);

    private sealed record ActiveCertificates(ConfigSnapshot Snapshot, TlsConfig Config, TlsFiles Files, bool Usable);

    /// <summary>For each handshake, whoever it is with.</summary>
    public ValueTask<SslServerAuthenticationOptions> OptionsAsync(TlsHandshakeCallbackContext _)
    {
        ActiveCertificates now = Current();
        (TlsConfig config, TlsFiles files) = (now.Config, now.Files);
        SslServerAuthenticationOptions options = new()
        {
            ServerCertificateContext = files.Context,
            EnabledSslProtocols = config.MinVersion == TlsVersion.Tls13 ? SslProtocols.Tls13 : SslProtocols.Tls12 | SslProtocols.Tls13,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            ClientCertificateRequired = config.RequestsClientCertificates,
            // A resumed session would carry over what was verified against the authorities of its time.
            AllowTlsResume = !config.RequestsClientCertificates,
        };
        if (config.RequestsClientCertificates)
        {
            options.CertificateChainPolicy = ClientPolicy(files.ClientAuthorities);
            options.RemoteCertificateValidationCallback = (_, certificate, _, faults) => IsAccepted(config.ClientAuthType, certificate is not null, faults);
        }
        return ValueTask.FromResult(options);
    }

    /// <summary>The policies of <c>web.tls.client_auth_type</c>, with the meanings of Go's crypto/tls, where their names come from.</summary>
    private static bool IsAccepted(ClientAuthType policy, bool given, SslPolicyErrors faults) => policy switch
    {
        ClientAuthType.RequestClientCert => true,
        ClientAuthType.RequireAnyClientCert => given,
        ClientAuthType.VerifyClientCertIfGiven => !given || faults == SslPolicyErrors.None,
        _ => given && faults == SslPolicyErrors.None,
    };

    private static X509ChainPolicy ClientPolicy(X509Certificate2Collection authorities)
    {
        const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
        X509ChainPolicy policy = new()
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            // Otherwise a client could have the server fetch from any address that stands in its certificate.
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(authorities);
        policy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        return policy;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(Interval);
        do
        {
            try
            {
                CheckForRenewal();
                metrics.SetTls(Current().Usable, Current().Files.NotAfter);
            }
            // One look that fails must not end the daemon.
            catch (Exception e)
            {
                logger.LogError(e, "The files of web.tls could not be looked at");
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>A reload has read the files itself; one that switched TLS off leaves the last ones until the restart.</summary>
    private ActiveCertificates Current()
    {
        lock (_gate)
        {
            ConfigSnapshot snapshot = state.Current;
            if (snapshot.Tls is { } files && !ReferenceEquals(snapshot, _active.Snapshot))
            {
                _active = new ActiveCertificates(snapshot, snapshot.Config.Web.Tls, files, Usable: true);
                _lastSeen = files.Digest;
            }
            return _active;
        }
    }

    private void CheckForRenewal()
    {
        ActiveCertificates before = Current();
        string digest = TlsFiles.DigestOf(before.Config);
        bool settled = digest == _lastSeen;
        _lastSeen = digest;
        // Certificate and key are two files, written one after the other: a change is taken when it has lasted from one look to the next.
        if (!settled)
            return;
        if (digest == before.Files.Digest)
        {
            if (!before.Usable)
                Replace(before, before with { Usable = true });
            return;
        }
        bool isNew = before.Usable || digest != _refused.Digest;
        ImmutableArray<TlsError> faults = [];
        TlsFiles? files = isNew ? TlsFiles.Load(before.Config, out faults) : _refused.Files;
        DateTime now = DateTime.UtcNow;
        // One that is not valid now does not replace one that is; its time may come.
        if (files is not null && (files.GetDateError(now) is null || before.Files.GetDateError(now) is not null))
        {
            if (Replace(before, before with { Files = files, Usable = true }))
                logger.LogInformation("The files of web.tls have changed and are in force; the certificate is valid until {NotAfter:u}", files.NotAfter);
            return;
        }
        _refused = (digest, files);
        if (!isNew || !Replace(before, before with { Usable = false }))
            return;
        foreach (string fault in files is null ? faults.Select(f => f.ToString()) : [$"{TlsFiles.CertKey}: {files.GetDateError(now)}"])
            logger.LogWarning("The files of web.tls have changed and cannot be used, so those loaded before stay in force: {Fault}", fault);
    }

    /// <summary>False when a reload came in between: then what it has read is in force.</summary>
    private bool Replace(ActiveCertificates before, ActiveCertificates after)
    {
        lock (_gate)
        {
            if (!ReferenceEquals(before, _active))
                return false;
            _active = after;
            return true;
        }
    }
}
