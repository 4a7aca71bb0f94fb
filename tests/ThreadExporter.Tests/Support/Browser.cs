using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ThreadExporter.Tests.Support;

/// <summary>Headless Chromium, controlled by the WebDriver protocol (w3.org/TR/webdriver2) on loopback.</summary>
internal sealed partial class Browser : IAsyncDisposable
{
    private const string Chromium = "/usr/bin/chromium";
    private const string Driver = "/usr/bin/chromedriver";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly Process _driver;
    private readonly string _profile;
    private readonly HttpClient _http;
    private string _session = "";

    private Browser(Process driver, int port, string profile)
    {
        (_driver, _profile) = (driver, profile);
        _http = new HttpClient { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/")), Timeout = Timeout };
    }

    public static bool IsInstalled { get; } = File.Exists(Chromium) && File.Exists(Driver);

    public static async Task<Browser> StartAsync()
    {
        string profile = Directory.CreateTempSubdirectory("te-chromium-").FullName;
        Process driver = Process.Start(new ProcessStartInfo(Driver, ["--port=0", "--log-level=SEVERE"]) { RedirectStandardOutput = true })!;
        TaskCompletionSource<int> port = new(TaskCreationOptions.RunContinuationsAsynchronously);
        driver.OutputDataReceived += (_, line) =>
        {
            if (StartedOn().Match(line.Data ?? "") is { Success: true } started)
                port.TrySetResult(int.Parse(started.Groups[1].Value, CultureInfo.InvariantCulture));
        };
        driver.BeginOutputReadLine();
        Browser browser = new(driver, await port.Task.WaitAsync(Timeout), profile);
        JsonArray arguments =
        [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--user-data-dir=" + profile,
        ];
        JsonObject options = new() { ["binary"] = Chromium, ["args"] = arguments };
        JsonObject wanted = new() { ["goog:chromeOptions"] = options, ["goog:loggingPrefs"] = new JsonObject { ["browser"] = "ALL" } };
        JsonElement session = await browser.SendAsync(HttpMethod.Post, "session", new JsonObject { ["capabilities"] = new JsonObject { ["alwaysMatch"] = wanted } });
        browser._session = $"session/{session.GetProperty("sessionId").GetString()}/";
        return browser;
    }

    public Task OpenAsync(Uri url) => PostAsync("url", new JsonObject { ["url"] = url.ToString() });

    /// <summary>Runs a function's body in the page.</summary>
    public Task<JsonElement> RunAsync(string script) => PostAsync("execute/sync", new JsonObject { ["script"] = script, ["args"] = new JsonArray() });

    public async Task<string> TextAsync(string selector) => (await RunAsync($"return document.querySelector('{selector}').innerText")).GetString()!;

    /// <summary>As a person does: fails when something covers it.</summary>
    public async Task ClickAsync(string selector) => await PostAsync($"element/{await FindAsync(selector)}/click", []);

    public async Task TypeAsync(string selector, string text) => await PostAsync($"element/{await FindAsync(selector)}/value", new JsonObject { ["text"] = text });

    /// <summary>The role of the element that assistive technology gets.</summary>
    public async Task<string> RoleAsync(string selector) =>
        (await SendAsync(HttpMethod.Get, $"{_session}element/{await FindAsync(selector)}/computedrole", null)).GetString()!;

    /// <summary>Presses a key where the focus is.</summary>
    public Task PressAsync(char key)
    {
        JsonArray strokes = [new JsonObject { ["type"] = "keyDown", ["value"] = $"{key}" }, new JsonObject { ["type"] = "keyUp", ["value"] = $"{key}" }];
        JsonObject keyboard = new() { ["type"] = "key", ["id"] = "keyboard", ["actions"] = strokes };
        return PostAsync("actions", new JsonObject { ["actions"] = new JsonArray(keyboard) });
    }

    /// <summary>A screen of this size, with these preferences of its user.</summary>
    public async Task ShowAsAsync(int width, int height, string scheme = "light", string motion = "no-preference")
    {
        await CommandAsync("Emulation.setDeviceMetricsOverride", new JsonObject { ["width"] = width, ["height"] = height, ["deviceScaleFactor"] = 1, ["mobile"] = false });
        JsonArray features =
        [
            new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = scheme },
            new JsonObject { ["name"] = "prefers-reduced-motion", ["value"] = motion },
        ];
        await CommandAsync("Emulation.setEmulatedMedia", new JsonObject { ["features"] = features });
    }

    public async Task<byte[]> ScreenshotAsync() => (await SendAsync(HttpMethod.Get, _session + "screenshot", null)).GetBytesFromBase64();

    /// <summary>The messages of the console since the last call: errors of scripts, of loading, of the page's policy.</summary>
    public async Task<string[]> TakeConsoleAsync() =>
        [.. (await PostAsync("se/log", new JsonObject { ["type"] = "browser" })).EnumerateArray().Select(e => e.GetProperty("message").GetString()!)];

    public Task WaitAsync(string condition, string what) =>
        Eventually.TrueAsync(async () => (await RunAsync($"return Boolean({condition})")).GetBoolean(), what, () => TextAsync("body"));

    public async ValueTask DisposeAsync()
    {
        // Ends Chromium, too.
        if (_session.Length > 0)
            await SendAsync(HttpMethod.Delete, _session.TrimEnd('/'), null);
        _http.Dispose();
        _driver.Kill();
        await _driver.WaitForExitAsync();
        _driver.Dispose();
        for (int attempt = 0; Directory.Exists(_profile); attempt++)
        {
            try
            {
                Directory.Delete(_profile, recursive: true);
            }
            // Chromium's last children may still write.
            catch (IOException) when (attempt < 20)
            {
                await Task.Delay(100);
            }
        }
    }

    private async Task<string> FindAsync(string selector)
    {
        JsonElement found = await PostAsync("element", new JsonObject { ["using"] = "css selector", ["value"] = selector });
        return found.EnumerateObject().Single().Value.GetString()!;
    }

    private Task<JsonElement> CommandAsync(string command, JsonObject parameters) =>
        PostAsync("goog/cdp/execute", new JsonObject { ["cmd"] = command, ["params"] = parameters });

    private Task<JsonElement> PostAsync(string path, JsonObject body) => SendAsync(HttpMethod.Post, _session + path, body);

    private async Task<JsonElement> SendAsync(HttpMethod method, string path, JsonObject? body)
    {
        // With a length: chromedriver reads no chunks.
        using HttpRequestMessage request = new(method, path) { Content = body is null ? null : new StringContent(body.ToJsonString(), null, "application/json") };
        using HttpResponseMessage response = await _http.SendAsync(request);
        JsonElement answer = await response.Content.ReadFromJsonAsync<JsonElement>();
        JsonElement value = answer.GetProperty("value");
        return response.IsSuccessStatusCode ? value : throw new InvalidOperationException($"{path}: {value.GetProperty("message")}");
    }

    [GeneratedRegex(@"started successfully on port (\d+)")]
    private static partial Regex StartedOn();
}
