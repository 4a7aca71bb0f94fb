using ThreadExporter.Configuration;

namespace ThreadExporter.Tests.Configuration;

public class RestartKeysTests
{
    [Fact]
    public void They_are_the_keys_marked_restart() => Assert.Equal(ConfigKeys.All.Where(k => k.NeedsRestart).Select(k => k.Name), RestartKeys.All);

    [Fact]
    public void Equal_configurations_of_two_loads_have_no_changes()
    {
        ReadOnlySpan<byte> text = "[web]\nlisten = [':1', ':2']\n[log]\nfile = '/x'"u8;
        Assert.Empty(RestartKeys.Changed(ConfigLoader.Parse(text, "", new()).Config!, ConfigLoader.Parse(text, "", new()).Config!));
    }

    [Fact]
    public void Keys_that_a_reload_takes_are_no_changes()
    {
        ExporterConfig changed = new()
        {
            Filters = [new FilterConfig { Name = "x" }],
            Web = new() { MaxRequests = 1, EnableLifecycle = true, Pages = false },
            Collector = new() { RescanInterval = TimeSpan.FromSeconds(1), MaxDescriptors = 1 },
            Log = new() { Level = Microsoft.Extensions.Logging.LogLevel.Trace },
        };
        Assert.Empty(RestartKeys.Changed(new ExporterConfig(), changed));
    }

    [Fact]
    public void Every_one_is_noticed()
    {
        ExporterConfig changed = new()
        {
            Web = new()
            {
                Listen = [":1"],
                TelemetryPath = "/x",
                WatchConfig = true,
            },
            Collector = new() { Procfs = "/p" },
            Log = new() { Journal = JournalMode.Never, File = "/f", FileMaxSize = 1, FileKeep = 1, Format = LogFormat.Json },
        };
        Assert.Equal(RestartKeys.All, RestartKeys.Changed(new ExporterConfig(), changed));
    }

    [Theory]
    [InlineData("", "/c", true)]
    [InlineData("/c", "", true)]
    [InlineData("/c", "/d", false)]
    public void Of_TLS_only_the_switch_waits(string running, string loaded, bool waits)
    {
        (ExporterConfig? before, ExporterConfig? after) = (With(running, "TLS12"), With(loaded, "TLS13"));
        Assert.Equal(waits ? ["web.tls.cert_file"] : [], RestartKeys.Changed(before, after));

        static ExporterConfig With(string certificate, string minVersion) =>
            new() { Web = new() { Tls = new() { CertFile = certificate, KeyFile = certificate, MinVersion = minVersion } } };
    }
}
