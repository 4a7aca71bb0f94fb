using Microsoft.AspNetCore.Http;
using ThreadExporter.Exposition;

namespace ThreadExporter.Tests.Exposition;

/// <summary><see cref="ScrapeFormat"/>: negotiation by Accept and Accept-Encoding.</summary>
public class ScrapeFormatTests
{
    [Theory]
    [InlineData("", false)]
    [InlineData("*/*", false)]
    [InlineData("text/html,application/xhtml+xml", false)]
    [InlineData("application/openmetrics-text", true)]
    [InlineData("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true)]
    [InlineData("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4", true)]
    [InlineData("application/openmetrics-text;q=0.2,text/plain;q=0.8", false)]
    [InlineData("application/openmetrics-text;version=0.0.1", false)]
    [InlineData("application/openmetrics-text;q=0", false)]
    [InlineData("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,text/plain", false)]
    [InlineData(";;;,q=,", false)]
    public void The_text_format_is_negotiated(string accept, bool openMetrics) =>
        Assert.Equal(openMetrics, ScrapeFormat.Negotiate(new HeaderDictionary { ["Accept"] = accept }).OpenMetrics);

    [Theory]
    [InlineData("", false)]
    [InlineData("gzip", true)]
    [InlineData("deflate, GZIP;q=0.5", true)]
    [InlineData("gzip;q=0", false)]
    [InlineData("br", false)]
    [InlineData("gzip;;;q=x", false)]
    [InlineData("x-gzip", true)]
    [InlineData("*", false)]
    [InlineData("*;q=0", false)]
    [InlineData("identity;q=0, *;q=0.5", true)]
    [InlineData("identity;q=0, *;q=0", false)]
    [InlineData("identity;q=0, gzip;q=0, *", false)]
    [InlineData("identity;q=0", false)]
    [InlineData("gzip;q=0.5, identity", false)]
    [InlineData("gzip;q=0.5, identity;q=0.5", true)]
    [InlineData("gzip;q=0.5, *;q=1", true)]
    public void Compression_is_negotiated(string acceptEncoding, bool gzip) =>
        Assert.Equal(gzip, ScrapeFormat.Negotiate(new HeaderDictionary { ["Accept-Encoding"] = acceptEncoding }).Gzip);
}
