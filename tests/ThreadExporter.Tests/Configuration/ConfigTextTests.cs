using ThreadExporter.Configuration;

namespace ThreadExporter.Tests.Configuration;

public class ConfigTextTests
{
    [Theory]
    [InlineData("100ms", 100)]
    [InlineData("0s", 0)]
    [InlineData("05s", 5_000)]
    [InlineData("1m", 60_000)]
    [InlineData("1h", 3_600_000)]
    public void Durations(string text, long milliseconds)
    {
        Assert.True(ConfigText.TryParseDuration(text, out TimeSpan duration));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), duration);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("s")]
    [InlineData("-5s")]
    [InlineData("5 s")]
    [InlineData("5S")]
    [InlineData("1.5s")]
    [InlineData("1m30s")]
    [InlineData("٥s")]
    public void Not_durations(string text) => Assert.False(ConfigText.TryParseDuration(text, out _));

    [Theory]
    [InlineData("4096B", 4096)]
    [InlineData("1KiB", 1024)]
    [InlineData("10MiB", 10485760)]
    [InlineData("2GiB", 2147483648)]
    [InlineData("9223372036854775807B", long.MaxValue)]
    [InlineData("9223372036854775807KiB", long.MaxValue)]
    [InlineData("99999999999999999999GiB", long.MaxValue)]
    public void Sizes(string text, long bytes)
    {
        Assert.True(ConfigText.TryParseSize(text, out long size));
        Assert.Equal(bytes, size);
    }

    [Theory]
    [InlineData(":0")]
    [InlineData(":65535")]
    [InlineData("127.0.0.1:9199")]
    [InlineData("[::1]:9199")]
    [InlineData("[fe80::1%2]:9199")]
    [InlineData("localhost:9199")]
    [InlineData("node-1.example.org:9199")]
    public void Listen_addresses(string address) => Assert.Null(ConfigText.GetListenError(address));

    [Fact]
    public void A_name_to_listen_on_is_at_most_as_long_as_DNS_allows()
    {
        Assert.Null(ConfigText.GetListenError(new string('a', 253) + ":9199"));
        Assert.EndsWith("is not a valid address: the name is longer than 253 characters", ConfigText.GetListenError(new string('a', 254) + ":9199"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_path_is_absolute_and_not_too_long_for_the_kernel()
    {
        Assert.Null(ConfigText.GetPathError("/" + new string('é', 2047)));
        Assert.Equal("must not be longer than 4095 bytes", ConfigText.GetPathError("/" + new string('é', 2048)));
        Assert.Equal("must be an absolute path", ConfigText.GetPathError("a\0"));
    }

    [Theory]
    [InlineData("/metrics")]
    [InlineData("/a/b.c_d-e~f")]
    [InlineData("/hotter")]
    [InlineData("/apis")]
    [InlineData("/-x")]
    public void Telemetry_paths(string path) => Assert.Null(ConfigText.GetTelemetryPathError(path));

    [Theory]
    [InlineData("listen", "listen", 0)]
    [InlineData("lisen", "listen", 1)]
    [InlineData("litsen", "listen", 1)]
    [InlineData("LISTEN", "listen", 0)]
    [InlineData("lsitne", "listen", 2)]
    [InlineData("", "ab", 2)]
    [InlineData("abc", "xyz", 3)]
    public void Distances(string a, string b, int distance) => Assert.Equal(distance, SpellingSuggestion.Distance(a, b));

    [Theory]
    [InlineData("lisen", ": did you mean \"listen\"?")]
    [InlineData("tpo", ": did you mean \"top\"?")]
    [InlineData("foo", "")]
    [InlineData("something", "")]
    public void Hints(string found, string hint) => Assert.Equal(hint, SpellingSuggestion.Hint(found, ["listen", "top", "pages"]));
}
