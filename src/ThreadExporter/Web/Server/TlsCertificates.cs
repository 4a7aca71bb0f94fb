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
/// The certificates for new connections: the files as the active configuration loaded them, or as they were renewed since. Polls
/// their contents every second. If new files are unusable, the previous ones remain active, with one warning.
/// </summary>
internal sealed class TlsCertificates(ConfigHolder holder, SelfMetrics metrics, ILogger<TlsCertificates> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private ActiveCertificates _active = new(holder.Current, holder.Current.Config.Web.Tls, holder.Current.Tls!, Usable: true);
    private string _lastSeen = holder.Current.Tls!.Digest;
    private (string Digest, TlsFiles? Files) _rejected = ("", null);

    private sealed record ActiveCertificates(ConfigSnapshot Snapshot, TlsConfig Config, TlsFiles Files, bool Usable);

    /// <summary>Options for one handshake.</summary>
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
            // A resumed session would skip verification against the current authorities.
            AllowTlsResume = !config.RequestsClientCertificates,
        };
        if (config.RequestsClientCertificates)
        {
            options.CertificateChainPolicy = ClientPolicy(files.ClientAuthorities);
            options.RemoteCertificateValidationCallback = (_, certificate, _, errors) => IsAccepted(config.ClientAuthType, certificate is not null, errors);
        }
        return ValueTask.FromResult(options);
    }

    /// <summary>The policies of <c>web.tls.client_auth_type</c>, with the meanings of Go's crypto/tls, where their names come from.</summary>
    private static bool IsAccepted(ClientAuthType policy, bool given, SslPolicyErrors errors) => policy switch
    {
        ClientAuthType.RequestClientCert => true,
        ClientAuthType.RequireAnyClientCert => given,
        ClientAuthType.VerifyClientCertIfGiven => !given || errors == SslPolicyErrors.None,
        _ => given && errors == SslPolicyErrors.None,
    };

    private static X509ChainPolicy ClientPolicy(X509Certificate2Collection authorities)
    {
        const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
        X509ChainPolicy policy = new()
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            // Otherwise a client could make the server fetch from any URL in its certificate.
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
            // A failed check must not end the daemon.
            catch (Exception e)
            {
                logger.TlsCheckFailed(e);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>Takes over the files that a reload has read. After a reload that disables TLS the last ones remain until the restart.</summary>
    private ActiveCertificates Current()
    {
        lock (_lock)
        {
            ConfigSnapshot snapshot = holder.Current;
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
        // Certificate and key are two files, written one after the other: a change is loaded when two polls in a row see the same contents.
        if (!settled)
            return;
        if (digest == before.Files.Digest)
        {
            if (!before.Usable)
                Replace(before, before with { Usable = true });
            return;
        }
        bool isNew = before.Usable || digest != _rejected.Digest;
        ImmutableArray<TlsError> errors = [];
        TlsFiles? files = isNew ? TlsFiles.Load(before.Config, out errors) : _rejected.Files;
        DateTime now = DateTime.UtcNow;
        // A certificate that is not valid now does not replace a valid one; it may become valid later.
        if (files is not null && (files.GetDateError(now) is null || before.Files.GetDateError(now) is not null))
        {
            if (Replace(before, before with { Files = files, Usable = true }))
                logger.TlsReloaded(files.NotAfter);
            return;
        }
        _rejected = (digest, files);
        if (!isNew || !Replace(before, before with { Usable = false }))
            return;
        foreach (string error in files is null ? errors.Select(f => f.ToString()) : [$"{TlsFiles.CertKey}: {files.GetDateError(now)}"])
            logger.TlsFilesUnusable(error);
    }

    /// <summary>False when a reload happened in between: then the files it read are active.</summary>
    private bool Replace(ActiveCertificates before, ActiveCertificates after)
    {
        lock (_lock)
        {
            if (!ReferenceEquals(before, _active))
                return false;
            _active = after;
            return true;
        }
    }
}
