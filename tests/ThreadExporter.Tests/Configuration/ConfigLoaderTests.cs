using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.Logging;
using ThreadExporter.Configuration;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Configuration;

public class ConfigLoaderTests
{
    private static ConfigResult Parse(string text) => ConfigLoader.Parse(Encoding.UTF8.GetBytes(text), "x.toml", new ConfigOverrides());

    private static ExporterConfig Good(string text)
    {
        ConfigResult result = Parse(text);
        Assert.Empty(result.Errors);
        return result.Config!;
    }

    private static FilterConfig Filter(string keys) => Assert.Single(Good("[[filter]]\n" + keys).Filters);

    [Fact]
    public void Without_a_file_everything_has_its_default()
    {
        ExporterConfig config = ConfigLoader.Load(null, new ConfigOverrides()).Config!;
        Assert.Empty(config.Filters);
        Assert.Equal([":9199"], config.Web.Listen);
        Assert.Equal((new SamplerConfig(), new LogConfig(), new TlsConfig()), (config.Sampler, config.Log, config.Web.Tls));
    }

    [Fact]
    public void Every_key_is_read_into_its_property()
    {
        ExporterConfig config = Good("""
            [web]
            listen = ["127.0.0.1:9200", "[::1]:9200"]
            telemetry_path = "/threads"
            max_requests = 7
            enable_lifecycle = true
            pages = false
            [web.tls]
            cert_file = "/c"
            key_file = "/k"
            client_auth_type = "VerifyClientCertIfGiven"
            client_ca_file = "/a"
            min_version = "TLS13"
            [web.basic_auth_users]
            "jane.doe" = "$2b$05$4I2.NM9qhEMJGN3dakPEgOSNkefu.2lU6hFCfOxTpPVx761SRfGGq"
            [collector]
            procfs = "/host/proc"
            rescan_interval = "100ms"
            refresh_interval = "1h"
            max_descriptors = 0
            extended = ["last_cpu", "io", "io"]
            [log]
            level = "debug"
            journal = "never"
            file = "/var/log/thread-exporter/x.log"
            file_max_size = "64KiB"
            file_keep = 0
            format = "json"
            """);
        Assert.Equal(["127.0.0.1:9200", "[::1]:9200"], config.Web.Listen);
        Assert.Equal(("/threads", 7, true, false), (config.Web.TelemetryPath, config.Web.MaxRequests, config.Web.EnableLifecycle, config.Web.Pages));
        TlsConfig tls = new()
        {
            CertFile = "/c",
            KeyFile = "/k",
            ClientAuthType = ClientAuthType.VerifyClientCertIfGiven,
            ClientCaFile = "/a",
            MinVersion = TlsVersion.Tls13,
        };
        Assert.Equal(tls, config.Web.Tls);
        Assert.Equal([new("jane.doe", PasswordHashTests.Bcrypt)], config.Web.BasicAuthUsers);
        Assert.Equal(("/host/proc", TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1), 0),
            (config.Collector.Procfs, config.Collector.RescanInterval, config.Collector.RefreshInterval, config.Collector.MaxDescriptors));
        Assert.Equal(ExtendedKinds.LastCpu | ExtendedKinds.Io, config.Collector.Extended);
        Assert.Equal(ExtendedKinds.ContextSwitches | ExtendedKinds.Faults, Good("collector.extended = ['context_switches', 'faults']").Collector.Extended);
        Assert.Equal(new LogConfig
        {
            Level = LogLevel.Debug,
            Journal = JournalMode.Never,
            File = "/var/log/thread-exporter/x.log",
            FileMaxSize = 65536,
            FileKeep = 0,
            Format = LogFormat.Json,
        }, config.Log);
    }

    [Fact]
    public void Every_key_of_a_filter_is_read_into_its_property()
    {
        FilterConfig filter = Filter("""
            match = "ceph-osd, 3240 ,, kworker/0:1,3240, 7"
            name = "osd"
            comm = "ceph-*"
            cmdline = '--cluster (ceph|CEPH)'
            exe = ["/usr/bin/*", "/bin/*"]
            user = ["ceph", 167]
            unit = "ceph-osd@*.service"
            cgroup = ["/kubepods*"]
            pid = 3240
            pidfile = "/run/x.pid"
            children = true
            daemon = '--instance (\S+)'
            labels = ["pod_uid", "unit", "pod_uid"]
            """);
        Assert.Equal("osd", filter.Name);
        Assert.Equal(["ceph-osd", "kworker/0:1"], filter.MatchNames);
        Assert.Equal([3240, 7], filter.MatchPids);
        Assert.Equal(["ceph-*"], filter.Comm);
        Assert.Equal(["/usr/bin/*", "/bin/*"], filter.Exe);
        Assert.Equal(["ceph", "167"], filter.User);
        Assert.Equal(["ceph-osd@*.service"], filter.Unit);
        Assert.Equal(["/kubepods*"], filter.Cgroup);
        Assert.Equal([3240], filter.Pid);
        Assert.Equal(("/run/x.pid", true), (filter.PidFile, filter.Children));
        Assert.Equal(["unit", "pod_uid"], filter.Labels);
        Assert.Matches(filter.Cmdline!, "a --cluster ceph");
        Assert.Equal("b", filter.Daemon!.Match("a --instance b c").Groups[1].Value);
        Assert.All([filter.Cmdline, filter.Daemon], r => Assert.Equal(RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, r!.Options));
    }

    [Theory]
    [InlineData("match = \" ceph-osd, 3240 \"\nuser = \"x\"", "ceph-osd, 3240")]
    [InlineData("comm = \"ceph-*\"", "comm=ceph-*")]
    [InlineData("user = [\"ceph\", 167]\nchildren = true\ncomm = [\"a\", \"b\"]\npid = 5", "user=ceph,167 comm=a,b pid=5")]
    [InlineData("cmdline = '--id (\\d+)'", "cmdline=--id (\\d+)")]
    public void The_default_name_is_the_text_of_the_filter(string keys, string name) => Assert.Equal(name, Filter(keys).Name);

    [Fact]
    public void Filters_keep_the_order_of_the_file_and_may_be_inline_tables() =>
        Assert.Equal(["b", "a"], Good("filter = [{ match = 'b' }, { match = 'a' }]").Filters.Select(f => f.Name));

    [Theory]
    [InlineData("trace", LogLevel.Trace)]
    [InlineData("debug", LogLevel.Debug)]
    [InlineData("info", LogLevel.Information)]
    [InlineData("warn", LogLevel.Warning)]
    [InlineData("warning", LogLevel.Warning)]
    [InlineData("error", LogLevel.Error)]
    [InlineData("critical", LogLevel.Critical)]
    public void Log_levels_have_one_set_of_names_in_file_and_command_line(string text, LogLevel level)
    {
        Assert.Equal(level, Good($"[log]\nlevel = '{text}'").Log.Level);
        Assert.True(ConfigLoader.TryParseLogLevel(text, out LogLevel parsed));
        Assert.Equal(level, parsed);
    }

    [Theory]
    [InlineData("Info")]
    [InlineData("2")]
    [InlineData("")]
    public void Other_log_levels_are_unknown(string text) => Assert.False(ConfigLoader.TryParseLogLevel(text, out _));

    [Fact]
    public void Syntax_and_semantic_errors_are_reported_together_in_the_order_of_the_file() =>
        Assert.Equal(
            ["x.toml:1:1: unknown key a", "x.toml:2:1: the key `a` is already defined at 1:1", "x.toml:3:1: unknown key b"],
            Parse("a = 1\na = 2\nb = 3\n").Errors.Select(e => e.ToString()));

    [Fact]
    public void Of_a_thousand_errors_fifty_and_a_count_are_reported()
    {
        ImmutableArray<ConfigError> errors = Parse(string.Concat(Enumerable.Range(1, 1000).Select(i => $"zzzz{i} = 1\n"))).Errors;
        Assert.Equal(51, errors.Length);
        Assert.Equal("x.toml:51:1: 950 more errors not shown", errors[^1].ToString());
    }

    [Fact]
    public void A_mebibyte_of_items_is_read_in_time()
    {
        string pids = string.Join(',', Enumerable.Range(1, 140_000));
        Stopwatch watch = Stopwatch.StartNew();
        Assert.Equal(140_000, Filter($"pid = [{pids}]").Pid.Length);
        Assert.Equal(140_000, Filter($"match = '{pids}'").MatchPids.Length);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"took {watch.Elapsed}");
    }

    [Fact]
    public void Mutations_of_the_shipped_file_never_throw()
    {
        string shipped = File.ReadAllText(Repository.File("etc/thread-exporter.toml")).Replace("\n# ", "\n", StringComparison.Ordinal);
        string[] lines = shipped.Split('\n');
        Gen<string> piece = Gen.Elements("1", "-1", "\"\"", "\"x\"", "[]", "{}", "[[]]", "true", "1.5", "'('", "9999999999", "07:32:00", "{ a.b = [1] }", "= =");
        Gen<(int line, string value)> edit = from line in Gen.Choose(0, lines.Length - 1)
                                             from value in piece
                                             select (line, value);
        Prop.ForAll(edit.NonEmptyListOf().ToArbitrary(), edits =>
        {
            string[] mutated = lines.ToArray();
            foreach ((int line, string? value) in edits)
                mutated[line] = mutated[line].Split('=')[0] + "= " + value;
            ConfigResult result = Parse(string.Join('\n', mutated));
            return result.Config is null == result.Errors.Length > 0;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));
    }
}
