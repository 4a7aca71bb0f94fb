using System.Security.Cryptography.X509Certificates;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Web.Server;

/// <summary>Certificates that change while the daemon runs, with and without a reload.</summary>
public sealed class TlsRenewalTests : IDisposable
{
    private readonly TlsFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SlowFact]
    public async Task A_renewal_is_presented_without_a_reload_and_a_bad_one_is_not()
    {
        await using Daemon daemon = await _folder.StartAsync();
        Assert.Equal("CN=exporter", await PresentedAsync(daemon));

        using X509Certificate2 second = _folder.Authority.Server("second");
        _folder.Write(second);
        await UntilPresentedAsync(daemon, "CN=second");

        // A key that does not belong to the certificate: the previous pair remains.
        using X509Certificate2 third = _folder.Authority.Server("third");
        TlsFolder.Replace(_folder.Key, TlsFolder.KeyOf(third));
        await daemon.WaitForLogAsync($"keeping the previous ones: web.tls.key_file: \"{_folder.Key}\" is not the ECDSA key of the certificate in web.tls.cert_file");
        Assert.Equal("CN=second", await PresentedAsync(daemon));
        await UntilAsync(daemon, "thread_exporter_tls_files_usable", 0);

        // An expired certificate does not replace a valid one.
        using X509Certificate2 expired = _folder.Authority.Server("expired", TimeSpan.FromHours(-3), TimeSpan.FromHours(-2));
        _folder.Write(expired);
        await daemon.WaitForLogAsync("keeping the previous ones: web.tls.cert_file: the certificate expired at ");
        Assert.Equal("CN=second", await PresentedAsync(daemon));

        _folder.Write(third);
        await UntilPresentedAsync(daemon, "CN=third");
        await UntilAsync(daemon, "thread_exporter_tls_files_usable", 1);
        // One warning per bad state, however many polls it has lasted.
        Assert.Equal(2, daemon.Log.Split("keeping the previous ones").Length - 1);
        Assert.DoesNotContain("PRIVATE KEY", daemon.Log, StringComparison.Ordinal);
    }

    [SlowFact]
    public async Task Re_pointed_links_are_followed()
    {
        // As Kubernetes mounts a secret: the file is a link through a link to a folder that is replaced.
        string data = Path.Combine(_folder.Config.Folder, "..data");
        foreach (string version in (string[])["one", "two"])
        {
            string folder = Directory.CreateDirectory(Path.Combine(_folder.Config.Folder, version)).FullName;
            using X509Certificate2 certificate = _folder.Authority.Server(version);
            await File.WriteAllTextAsync(Path.Combine(folder, "cert.pem"), certificate.ExportCertificatePem(), TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(Path.Combine(folder, "key.pem"), TlsFolder.KeyOf(certificate), TestContext.Current.CancellationToken);
        }
        Directory.CreateSymbolicLink(data, "one");
        foreach (string file in (string[])[_folder.Cert, _folder.Key])
        {
            File.Delete(file);
            File.CreateSymbolicLink(file, Path.Combine("..data", Path.GetFileName(file)));
        }
        await using Daemon daemon = await _folder.StartAsync();
        Assert.Equal("CN=one", await PresentedAsync(daemon));
        File.Delete(data);
        Directory.CreateSymbolicLink(data, "two");
        await UntilPresentedAsync(daemon, "CN=two");
    }

    [SlowFact]
    public async Task A_reload_uses_other_files_at_once_and_keeps_the_old_ones_when_they_are_invalid()
    {
        await using Daemon daemon = await _folder.StartAsync();
        using HttpClient client = _folder.Client(daemon);
        using X509Certificate2 other = _folder.Authority.Server("other");
        string certificate = Path.Combine(_folder.Config.Folder, "other.pem");
        // Certificate and key in one file, as some tools write them.
        await File.WriteAllTextAsync(certificate, TlsFolder.KeyOf(other) + "\n" + other.ExportCertificatePem(), TestContext.Current.CancellationToken);
        _folder.Config.Write($"{TlsFolder.Rest}[web.tls]\ncert_file = \"{certificate}\"\nkey_file = \"{certificate}\"\n");
        Assert.True((await client.PostAsync("/-/reload", null, TestContext.Current.CancellationToken)).IsSuccessStatusCode);
        Assert.Equal("CN=other", await PresentedAsync(daemon));

        _folder.Config.Write($"{TlsFolder.Rest}[web.tls]\ncert_file = \"{certificate}\"\nkey_file = \"{_folder.Key}\"\n");
        HttpResponseMessage refused = await client.PostAsync("/-/reload", null, TestContext.Current.CancellationToken);
        Assert.Equal("Invalid configuration; the previous one remains active.\n7:12: web.tls.key_file\n", await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        await daemon.WaitForLogAsync($"{_folder.Config.Path}:7:12: web.tls.key_file: \"{_folder.Key}\" is not the ECDSA key");
        Assert.Equal("CN=other", await PresentedAsync(daemon));
        Support.ParsedScrape scrape = Support.ParsedScrape.Parse(await client.GetStringAsync("/metrics", TestContext.Current.CancellationToken));
        Assert.Equal(0, scrape.Value("thread_exporter_config_last_reload_successful"));
    }

    [SlowFact]
    public async Task TLS_switched_off_waits_for_a_restart()
    {
        await using Daemon daemon = await _folder.StartAsync();
        using HttpClient client = _folder.Client(daemon);
        _folder.Config.Write(TlsFolder.Rest);
        Assert.True((await client.PostAsync("/-/reload", null, TestContext.Current.CancellationToken)).IsSuccessStatusCode);
        await daemon.WaitForLogAsync("web.tls.cert_file has changed in ");
        Assert.Equal("CN=exporter", await PresentedAsync(daemon));
        Support.ParsedScrape scrape = Support.ParsedScrape.Parse(await client.GetStringAsync("/metrics", TestContext.Current.CancellationToken));
        Assert.Equal(1, scrape.Value("thread_exporter_config_restart_required"));
    }

    [SlowTheory]
    [InlineData(-3, -2, "web.tls.cert_file: the certificate expired at ")]
    [InlineData(2, 3, "web.tls.cert_file: the certificate is not valid before ")]
    public async Task A_certificate_that_is_not_valid_now_is_presented_with_a_warning(int from, int to, string warning)
    {
        using X509Certificate2 certificate = _folder.Authority.Server("untimely", TimeSpan.FromHours(from), TimeSpan.FromHours(to));
        _folder.Write(certificate);
        await using Daemon daemon = await _folder.StartAsync();
        await daemon.WaitForLogAsync(warning);
        Assert.Equal("CN=untimely", await PresentedAsync(daemon));
        (int code, string output, _) = await Daemon.RunAsync(["check", "--config", _folder.Config.Path]);
        Assert.Equal(0, code);
        Assert.Contains("warning: " + warning, output, StringComparison.Ordinal);
        using X509Certificate2 good = _folder.Authority.Server("good");
        _folder.Write(good);
        await UntilPresentedAsync(daemon, "CN=good");
    }

    private async Task<string> PresentedAsync(Daemon daemon)
    {
        string? name = null;
        using HttpClient client = _folder.Client(daemon, seen: c => name = c.Subject);
        (await client.GetAsync("/-/healthy", TestContext.Current.CancellationToken)).EnsureSuccessStatusCode();
        return name!;
    }

    private Task UntilPresentedAsync(Daemon daemon, string name) => UntilAsync(name, async () => await PresentedAsync(daemon) == name);

    private async Task UntilAsync(Daemon daemon, string metric, double value)
    {
        using HttpClient client = _folder.Client(daemon);
        await UntilAsync($"{metric} {value}", async () => Support.ParsedScrape.Parse(await client.GetStringAsync("/metrics")).Value(metric) == value);
    }

    private static Task UntilAsync(string what, Func<Task<bool>> isSo) => Eventually.TrueAsync(isSo, what);
}
