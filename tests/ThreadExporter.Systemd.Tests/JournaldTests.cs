using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ThreadExporter.Systemd.Tests;

/// <summary>A real journald in a private mount namespace receives our records; journalctl shows what it stored.</summary>
public class JournaldTests
{
    private const string Daemon = "/lib/systemd/systemd-journald";

    private const string Script = """
        mount -t tmpfs none /run && mkdir -p /run/systemd/journal /run/systemd/journald.conf.d /run/log/journal || exit 1
        printf '[Journal]\nStorage=volatile\nReadKMsg=no\nForwardToSyslog=no\nForwardToWall=no\nRateLimitIntervalSec=0\n' \
            > /run/systemd/journald.conf.d/test.conf || exit 1
        echo mounted
        exec /lib/systemd/systemd-journald
        """;

    [Fact]
    public async Task Journald_keeps_every_field_of_small_and_large_records()
    {
        Assert.SkipUnless(File.Exists(Daemon), "no systemd-journald here");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "a mount namespace for journald needs root");
        ProcessStartInfo start = new("unshare")
        {
            ArgumentList = { "--mount", "--propagation", "private", "bash", "-c", Script },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // journald notifies its service manager too: it must not inherit the socket that NotificationTests sets for this whole process.
        start.Environment.Remove("NOTIFY_SOCKET");
        using Process journald = Process.Start(start)!;
        try
        {
            string? line = await journald.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
            Assert.SkipUnless(line == "mounted", "mounts are not possible here");
            string root = string.Create(CultureInfo.InvariantCulture, $"/proc/{journald.Id}/root");
            string path = root + JournalSocket.DefaultPath;
            Stopwatch waiting = Stopwatch.StartNew();
            while (!File.Exists(path) && waiting.Elapsed < TimeSpan.FromSeconds(10))
                await Task.Delay(10, TestContext.Current.CancellationToken);

            using JournalSocket socket = new(path);
            string large = new('x', 500_000);
            Assert.Equal(JournalResult.Sent, Send(socket, "one\ntwo\nPRIORITY=0", "/etc/a.toml"));
            Assert.Equal(JournalResult.Sent, Send(socket, large, "/etc/b.toml"));

            List<JsonElement> entries = [];
            while (entries.Count < 2 && waiting.Elapsed < TimeSpan.FromSeconds(20))
                entries = await ReadAsync(root + "/run/log/journal", "SYSLOG_IDENTIFIER=journald-test");
            Assert.Equal(2, entries.Count);
            Assert.Equal("one\ntwo\nPRIORITY=0", entries[0].GetProperty("MESSAGE").GetString());
            Assert.Equal("4", entries[0].GetProperty("PRIORITY").GetString());
            Assert.Equal("/etc/a.toml", entries[0].GetProperty("CONFIG_FILE").GetString());
            Assert.Equal(large, entries[1].GetProperty("MESSAGE").GetString());
            Assert.Equal("/etc/b.toml", entries[1].GetProperty("CONFIG_FILE").GetString());
        }
        finally
        {
            journald.Kill();
            await journald.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
    }

    private static JournalResult Send(JournalSocket socket, string message, string configFile)
    {
        JournalRecord record = new();
        record.Add("MESSAGE", message);
        record.Add(JournalPriority.Warning);
        record.Add("SYSLOG_IDENTIFIER", "journald-test");
        record.Add(JournalRecord.NameOf("ConfigFile"), configFile);
        return socket.Send(record);
    }

    private static async Task<List<JsonElement>> ReadAsync(string directory, string match)
    {
        // --all: journalctl prints null in place of a value above 4 KiB.
        using Process journalctl = Process.Start(new ProcessStartInfo("journalctl")
        {
            ArgumentList = { "-D", directory, "--all", "-o", "json", "--no-pager", match },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        })!;
        _ = journalctl.StandardError.ReadToEndAsync();
        string text = await journalctl.StandardOutput.ReadToEndAsync();
        await journalctl.WaitForExitAsync();
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => line[0] == '{').Select(line => JsonDocument.Parse(line).RootElement)];
    }
}
