using System.Diagnostics;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.EndToEnd;

/// <summary>The text of <see cref="ThreadExporter.Exposition.ThreadMetrics"/>, with hostile names, in the parsers of Prometheus.</summary>
public class PeerTests
{
    private const string OpenMetricsParser = """
        import sys
        from prometheus_client.openmetrics.parser import text_string_to_metric_families
        text = sys.stdin.buffer.read().decode("utf-8", "strict")
        families = list(text_string_to_metric_families(text))
        print(len(families), sum(len(f.samples) for f in families))
        """;

    [SlowFact]
    public async Task Promtool_accepts_the_text_format()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/promtool"), "promtool (Debian's prometheus) is not installed");
        (int code, string output) = await PipeAsync("/usr/bin/promtool", ["check", "metrics"], await HostileScrapeAsync(openMetrics: false));
        Assert.True(code == 0 && output.Length == 0, output);
    }

    [SlowFact]
    public async Task The_OpenMetrics_parser_of_the_Python_client_accepts_the_text()
    {
        Assert.SkipUnless(Directory.Exists("/usr/lib/python3/dist-packages/prometheus_client"), "python3-prometheus-client is not installed");
        string text = await HostileScrapeAsync(openMetrics: true);
        (int code, string output) = await PipeAsync("/usr/bin/python3", ["-c", OpenMetricsParser], text);
        Assert.True(code == 0, output);
        int samples = text.Split('\n').Count(l => l.Length > 0 && l[0] != '#');
        Assert.Equal($"{text.Split('\n').Count(l => l.StartsWith("# TYPE", StringComparison.Ordinal))} {samples}", output.Trim());
    }

    private static async Task<string> HostileScrapeAsync(bool openMetrics)
    {
        using Workload workload = new();
        foreach (byte[] name in (byte[][])[[0xff, (byte)'"'], "a\\b\nc"u8.ToArray(), "((a b ) ( c d)"u8.ToArray(), [0xe6, 0x97], "{x=\"y\"} 1 2"u8.ToArray(), " "u8.ToArray()])
            workload.Rename(workload.Spawn("t", "idle"), name);
        await using Daemon daemon = await Daemon.StartAsync(["--filter", $"{workload.Pid}"]);
        using HttpRequestMessage request = new(HttpMethod.Get, "/metrics");
        if (openMetrics)
            request.Headers.Accept.ParseAdd("application/openmetrics-text; version=1.0.0");
        HttpResponseMessage response = await daemon.Http.SendAsync(request, TestContext.Current.CancellationToken);
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("tname=\"\\\\xff\\\"\"", text, StringComparison.Ordinal);
        Assert.Contains("tname=\"a\\\\b\\nc\"", text, StringComparison.Ordinal);
        return text;
    }

    private static async Task<(int ExitCode, string Output)> PipeAsync(string program, string[] arguments, string input)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await error);
    }
}
