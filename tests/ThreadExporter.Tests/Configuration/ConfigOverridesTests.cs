using System.Text;
using Microsoft.Extensions.Logging;
using ThreadExporter.Configuration;

namespace ThreadExporter.Tests.Configuration;

public class ConfigOverridesTests
{
    private static ConfigResult Parse(string text, ConfigOverrides overrides) => ConfigLoader.Parse(Encoding.UTF8.GetBytes(text), "x.toml", overrides);

    [Fact]
    public void They_take_precedence_over_the_file()
    {
        ExporterConfig config = Parse("[[filter]]\nmatch = 'a'\n[[filter]]\nmatch = 'b'\n[web]\nlisten = ':1'\n[collector]\nprocfs = '/p'\n[log]\nlevel = 'error'",
            new() { Filter = " mariadbd, 7 ", Port = 9300, Procfs = "/host/proc", LogLevel = LogLevel.Trace }).Config!;
        FilterConfig filter = Assert.Single(config.Filters);
        Assert.Equal("mariadbd, 7", filter.Name);
        Assert.Equal(["mariadbd"], filter.MatchNames);
        Assert.Equal([7], filter.MatchPids);
        Assert.Equal([":9300"], config.Web.Listen);
        Assert.Equal(("/host/proc", LogLevel.Trace), (config.Collector.Procfs, config.Log.Level));
    }

    [Fact]
    public void Without_overrides_the_file_applies()
    {
        ExporterConfig config = Parse("[web]\nlisten = ':1'\nmax_requests = 5", new()).Config!;
        Assert.Equal([":1"], config.Web.Listen);
        Assert.Equal(5, config.Web.MaxRequests);
    }

    [Fact]
    public void Listen_addresses_replace_those_of_the_file() =>
        Assert.Equal(["127.0.0.1:1", "[::1]:1"], Parse("", new() { ListenAddresses = ["127.0.0.1:1", "[::1]:1"] }).Config!.Web.Listen);

    [Theory]
    [InlineData("proc", true)]
    [InlineData("auto", false)]
    public void A_relative_procfs_is_relative_to_the_current_directory(string given, bool isResolved) =>
        Assert.Equal(isResolved ? Path.GetFullPath(given) : given, Parse("", new() { Procfs = given }).Config!.Collector.Procfs);

    [Theory]
    [InlineData("", "--filter (or FILTER): must contain names or pids, comma-separated")]
    [InlineData(" , ,", "--filter (or FILTER): must contain names or pids, comma-separated")]
    [InlineData("x,0", "--filter (or FILTER): \"0\" is not a valid pid (1-4194304)")]
    [InlineData("4194305", "--filter (or FILTER): \"4194305\" is not a valid pid (1-4194304)")]
    public void A_bad_filter_names_the_flag(string filter, string error) =>
        Assert.Equal(error, Assert.Single(Parse("", new() { Filter = filter }).Errors).ToString());

    [Fact]
    public void Other_bad_overrides_name_their_flags_after_the_files_errors() =>
        Assert.Equal(
            [
                "x.toml:1:1: unknown key a",
                "--port (or PORT): must be from 0 to 65535",
                "--web.listen-address: \"9199\" is not a valid address: it needs a port, as in \":9199\"",
                "--path.procfs: must not be empty",
            ],
            Parse("a = 1", new() { Port = 65536, ListenAddresses = ["9199"], Procfs = "" }).Errors.Select(e => e.ToString()));
}
