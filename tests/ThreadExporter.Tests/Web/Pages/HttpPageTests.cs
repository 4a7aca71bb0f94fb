using ThreadExporter.Tests.Support;
using ThreadExporter.Web.Server;

namespace ThreadExporter.Tests.Web.Pages;

/// <summary>docs/http.md lists the limits that are in the code.</summary>
public class HttpPageTests
{
    [Fact]
    public void The_table_of_limits_has_their_values()
    {
        string page = File.ReadAllText(Repository.File("docs/http.md"));
        Assert.All(
            (string[])
            [
                $"| open connections | {HttpLimits.Connections}, or twice `web.max_requests` if that is more |",
                $"| time for a request's line and headers | {HttpLimits.RequestHeaders.TotalSeconds} s |",
                $"| time between two requests on a connection | {HttpLimits.KeepAlive.TotalSeconds} s |",
                $"| request's line | {HttpLimits.RequestLine} bytes |",
                $"| headers | {HttpLimits.Headers} bytes, {HttpLimits.HeaderCount} headers |",
                $"| requests sent ahead (pipelined) | {HttpLimits.RequestBuffer} bytes |",
                $"| lowest rate at which a response is read | {HttpLimits.ResponseRate} bytes a second on average, and {HttpLimits.ResponseGrace.TotalSeconds} s for any |",
            ],
            row => Assert.Contains(row, page, StringComparison.Ordinal));
    }
}
