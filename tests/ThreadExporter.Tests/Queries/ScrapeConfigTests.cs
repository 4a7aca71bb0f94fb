using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using ThreadExporter.Tests.Packaging;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Queries;

/// <summary>The scrape jobs and the lists of targets in the docs, by promtool's word.</summary>
public sealed partial class ScrapeConfigTests : IDisposable
{
    private const string Promtool = "/usr/bin/promtool";

    private readonly string _folder = Directory.CreateTempSubdirectory("te-scrape-").FullName;

    public static TheoryData<string, string> Jobs { get; } =
        [.. MarkdownBlocks.Files.SelectMany(f => MarkdownBlocks.Read(f, "yaml")).Where(b => b.Text.Contains("scrape_configs:", StringComparison.Ordinal))];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [SlowTheory]
    [MemberData(nameof(Jobs))]
    public async Task A_scrape_job_passes_promtool(string place, string job)
    {
        // Debian builds Prometheus without the discovery of clouds and of Kubernetes: the rest of the job is checked.
        string known = KubernetesDiscovery().Replace(job, "    static_configs:\n      - targets: [\"pod:9199\"]\n");
        // The certificates that a job names must be there; what is in them is not looked at.
        foreach (Match named in CertificateFile().Matches(known))
            await File.WriteAllTextAsync(Path.Combine(_folder, Path.GetFileName(named.Value)), "", TestContext.Current.CancellationToken);
        known = CertificateFile().Replace(known, named => Path.Combine(_folder, Path.GetFileName(named.Value)));
        (int code, string output, string error) = await PromtoolAsync("check", "config", await WriteAsync(known));
        Assert.True(code == 0, $"{place}: {output}{error}");
    }

    [SlowFact]
    public async Task Targets_from_files_are_found_with_their_labels()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "osd.yml"), Block("yaml", "- targets:"), TestContext.Current.CancellationToken);
        string job = Block("yaml", "scrape_configs:", "file_sd_configs:").Replace("/etc/prometheus/thread-exporter/", $"{_folder}/", StringComparison.Ordinal);
        Assert.Equal(["node-1.example.com", "node-2.example.com"], await DiscoverAsync(job));
    }

    [SlowFact]
    public async Task Targets_over_HTTP_are_found_with_their_labels()
    {
        using HttpListener server = new();
        int port = Listen(server);
        Task answers = AnswerAsync(server, Block("json", "["));
        string job = Block("yaml", "scrape_configs:", "http_sd_configs:").Replace("https://inventory.example.com/", $"http://127.0.0.1:{port}/", StringComparison.Ordinal);
        Assert.Equal(["node-1.example.com", "node-2.example.com"], await DiscoverAsync(job));
        server.Stop();
        await answers;
    }

    private static string Block(string language, string first, string holds = "") =>
        MarkdownBlocks.Read("docs/scale.md", language).Select(b => b.Text).Single(t => t.StartsWith(first, StringComparison.Ordinal) && t.Contains(holds, StringComparison.Ordinal));

    /// <summary>The instance labels that promtool ends up with.</summary>
    private async Task<string[]> DiscoverAsync(string job)
    {
        (int code, string output, string error) = await PromtoolAsync("check", "service-discovery", "--timeout=2s", await WriteAsync(job), "thread-exporter");
        Assert.True(code == 0, output + error);
        using JsonDocument found = JsonDocument.Parse(output);
        return [.. found.RootElement.EnumerateArray().Select(t => t.GetProperty("labels").GetProperty("instance").GetString()!).Distinct().Order(StringComparer.Ordinal)];
    }

    private async Task<string> WriteAsync(string config)
    {
        string path = Path.Combine(_folder, "prometheus.yml");
        await File.WriteAllTextAsync(path, config, TestContext.Current.CancellationToken);
        return path;
    }

    private static async Task<(int Code, string Output, string Error)> PromtoolAsync(params string[] arguments)
    {
        Assert.SkipUnless(File.Exists(Promtool), "promtool is not installed");
        return await ShellRun.RunAsync(Promtool, arguments);
    }

    private static int Listen(HttpListener server)
    {
        int port = 0;
        Eventually.True(
            () =>
            {
                port = Random.Shared.Next(20_000, 30_000);
                server.Prefixes.Clear();
                server.Prefixes.Add($"http://127.0.0.1:{port}/");
                try
                {
                    server.Start();
                    return true;
                }
                catch (HttpListenerException)
                {
                    // Another process's port.
                    return false;
                }
            }, "a free port");
        return port;
    }

    private static async Task AnswerAsync(HttpListener server, string json)
    {
        while (server.IsListening)
        {
            try
            {
                HttpListenerContext context = await server.GetContextAsync();
                context.Response.ContentType = "application/json";
                context.Response.OutputStream.Write(Encoding.UTF8.GetBytes(json));
                context.Response.Close();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    [GeneratedRegex(@"/etc/prometheus/\S+\.(crt|key)")]
    private static partial Regex CertificateFile();

    [GeneratedRegex(@"^    kubernetes_sd_configs:\n(      .*\n)+", RegexOptions.Multiline)]
    private static partial Regex KubernetesDiscovery();
}
