using ThreadExporter.Configuration;

namespace ThreadExporter.Tests.Configuration;

/// <summary><see cref="ConfigKeys.ChangedAtRestart"/>.</summary>
public class RestartKeysTests
{
    [Fact]
    public void Equal_configurations_of_two_loads_have_no_changes()
    {
        ReadOnlySpan<byte> text = "[web]\nlisten = [':1', ':2']\n[log]\nfile = '/x'"u8;
        Assert.Empty(ConfigKeys.ChangedAtRestart(ConfigLoader.Parse(text, "", new()).Config!, ConfigLoader.Parse(text, "", new()).Config!));
    }

    [Fact]
    public void Keys_that_a_reload_applies_are_not_changes()
    {
        ExporterConfig changed = new()
        {
            Filters = [new FilterConfig { Name = "x" }],
            Web = new() { MaxRequests = 1, EnableLifecycle = true, Pages = false },
            Collector = new() { RescanInterval = TimeSpan.FromSeconds(1), MaxDescriptors = 1 },
            Recorder = new() { Enabled = false, Interval = TimeSpan.FromSeconds(1), Keep = TimeSpan.FromHours(1), MaxSize = 1 },
            Log = new() { Level = Microsoft.Extensions.Logging.LogLevel.Trace },
        };
        Assert.Empty(ConfigKeys.ChangedAtRestart(new ExporterConfig(), changed));
    }

    [Fact]
    public void Every_key_marked_restart_is_noticed()
    {
        ExporterConfig changed = new()
        {
            Web = new()
            {
                Listen = [":1"],
                TelemetryPath = "/x",
                WatchConfig = true,
            },
            Collector = new() { Procfs = "/p", Cgroupfs = "/c" },
            Recorder = new() { Directory = "/r" },
            Log = new() { Journal = JournalMode.Never, File = "/f", FileMaxSize = 1, FileKeep = 1, Format = LogFormat.Json },
        };
        Assert.Equal(ConfigKeys.All.Where(k => k.NeedsRestart).Select(k => k.Name), ConfigKeys.ChangedAtRestart(new ExporterConfig(), changed));
    }

    [Theory]
    [InlineData("", "/c", true)]
    [InlineData("/c", "", true)]
    [InlineData("/c", "/d", false)]
    public void Only_switching_TLS_on_or_off_waits_for_a_restart(string running, string loaded, bool waits)
    {
        (ExporterConfig before, ExporterConfig after) = (With(running, TlsVersion.Tls12), With(loaded, TlsVersion.Tls13));
        Assert.Equal(waits ? ["web.tls.cert_file"] : [], ConfigKeys.ChangedAtRestart(before, after));

        static ExporterConfig With(string certificate, TlsVersion minVersion) =>
            new() { Web = new() { Tls = new() { CertFile = certificate, KeyFile = certificate, MinVersion = minVersion } } };
    }
}
