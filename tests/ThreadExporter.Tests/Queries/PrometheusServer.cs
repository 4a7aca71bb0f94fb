using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using ThreadExporter.Tests.Support;


namespace ThreadExporter.Tests.Queries;

/// <summary>A row of an instant query: the labels and the value.</summary>
internal sealed record Row(IReadOnlyDictionary<string, string> Labels, double Value)
{
    public string this[string label] => Labels.GetValueOrDefault(label, "");
}

/// <summary>A real Prometheus on loopback, with its data in a directory of its own.</summary>
internal sealed partial class PrometheusServer : IAsyncDisposable
{
    public const string Program = "/usr/bin/prometheus";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _log = new();
    private readonly TaskCompletionSource<int> _port = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HttpClient _http = new() { Timeout = Timeout };

    private PrometheusServer(string config, string folder)
    {
        ProcessStartInfo start = new(Program,
            ["--config.file", config, "--storage.tsdb.path", Path.Combine(folder, "data"), "--web.listen-address", "127.0.0.1:0"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += (_, line) => Take(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        _ = _process.WaitForExitAsync().ContinueWith(
            _ => _port.TrySetException(new InvalidOperationException($"Prometheus ended with {_process.ExitCode}:\n{Log}")), TaskScheduler.Default);
    }

    public string Log => string.Join('\n', _log);

    /// <summary>Starts it with the file and waits until it serves queries.</summary>
    public static async Task<PrometheusServer> StartAsync(string config, string folder)
    {
        PrometheusServer server = new(config, folder);
        int port = await server._port.Task.WaitAsync(Timeout);
        server._http.BaseAddress = new Uri($"http://127.0.0.1:{port}");
        await Eventually.TrueAsync(
            async () => (await server._http.GetAsync("/-/ready")).IsSuccessStatusCode, "Prometheus is ready", () => Task.FromResult(server.Log), Timeout);
        return server;
    }

    /// <summary>The rows of an instant query, as of now. A query that Prometheus rejects fails the test with its message.</summary>
    public async Task<IReadOnlyList<Row>> QueryAsync(string query)
    {
        JsonElement data = await GetAsync("/api/v1/query", ("query", query));
        string type = data.GetProperty("resultType").GetString()!;
        Assert.True(type == "vector", $"a {type}, not a vector: {query}");
        return [.. data.GetProperty("result").EnumerateArray().Select(row => new Row(
            row.GetProperty("metric").EnumerateObject().ToDictionary(l => l.Name, l => l.Value.GetString()!),
            Number(row.GetProperty("value")[1].GetString()!)))];
    }

    /// <summary>The <c>data</c> of a response of the HTTP API.</summary>
    public async Task<JsonElement> GetAsync(string path, params (string Name, string Value)[] parameters)
    {
        using FormUrlEncodedContent form = new(parameters.Select(p => KeyValuePair.Create(p.Name, p.Value)));
        string url = $"{path}?{await form.ReadAsStringAsync()}";
        using HttpResponseMessage response = await _http.GetAsync(url);
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{string.Join(", ", parameters.Select(p => p.Value))}\n{text}");
        using JsonDocument document = JsonDocument.Parse(text);
        return document.RootElement.GetProperty("data").Clone();
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }
        _process.Dispose();
    }

    private static double Number(string text) => text switch
    {
        "NaN" => double.NaN,
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        _ => double.Parse(text, CultureInfo.InvariantCulture),
    };

    private void Take(string? line)
    {
        if (line is null)
            return;
        _log.Enqueue(line);
        if (Listening().Match(line) is { Success: true } match)
            _port.TrySetResult(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"Listening on.*address=127\.0\.0\.1:([1-9]\d*)")]
    private static partial Regex Listening();
}
