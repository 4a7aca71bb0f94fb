using System.Diagnostics;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Hosting;

/// <summary><c>web.watch_config</c>: reloads without a signal.</summary>
public class ConfigFileWatcherTests
{
    [SlowFact]
    public async Task A_file_edited_replaced_or_created_again_is_loaded_and_an_invalid_one_is_reported_once()
    {
        using TempConfig config = new(Named("start"));
        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path]);
        // In place, as `echo >` does.
        File.WriteAllText(config.Path, Named("edited"));
        await UntilInForceAsync(daemon, "edited");
        // By rename, as most editors do.
        config.Write(Named("renamed"));
        await UntilInForceAsync(daemon, "renamed");

        config.Write("colour = 1\n");
        await daemon.WaitForLogAsync("unknown key colour");
        await UntilGaugeAsync(daemon, 0);
        // Two more polls of the same invalid file.
        await Task.Delay(2200, TestContext.Current.CancellationToken);
        Assert.Equal(1, Count(daemon, "unknown key colour"));
        Assert.Equal("renamed", await InForceAsync(daemon));

        File.Delete(config.Path);
        await daemon.WaitForLogAsync("no such file");
        config.Write(Named("restored"));
        await UntilInForceAsync(daemon, "restored");
        await UntilGaugeAsync(daemon, 1);

        // A requested reload is not made a second time, and an unchanged file is not reloaded.
        int before = Count(daemon, "Configuration reloaded");
        config.Write(Named("signalled"));
        daemon.Signal("HUP");
        await UntilInForceAsync(daemon, "signalled");
        await Task.Delay(2500, TestContext.Current.CancellationToken);
        Assert.InRange(Count(daemon, "Configuration reloaded"), before + 1, before + 2);
        Assert.Equal(1, Count(daemon, "unknown key colour"));
        Assert.Equal(1, Count(daemon, "no such file"));
    }

    [SlowFact]
    public async Task Kubernetes_swaps_of_a_mounted_ConfigMap_are_followed()
    {
        // The layout of its atomic writer: file -> ..data/file, ..data -> ..TIME; the link ..data is replaced.
        DirectoryInfo volume = Directory.CreateTempSubdirectory("te-configmap-");
        try
        {
            string At(string name) => Path.Combine(volume.FullName, name);
            Publish("..2026_11_25_03_00_00.1", "first");
            File.CreateSymbolicLink(At("thread-exporter.toml"), "..data/thread-exporter.toml");
            await using Daemon daemon = await Daemon.StartAsync(["--config", At("thread-exporter.toml")]);
            Publish("..2026_11_25_03_01_00.2", "second");
            Directory.Delete(At("..2026_11_25_03_00_00.1"), recursive: true);
            await UntilInForceAsync(daemon, "second");
            Assert.Equal(1, Count(daemon, "has changed"));

            void Publish(string directory, string filter)
            {
                Directory.CreateDirectory(At(directory));
                File.WriteAllText(Path.Combine(At(directory), "thread-exporter.toml"), Named(filter));
                File.CreateSymbolicLink(At("..data_tmp"), directory);
                // File.Move treats a link to a directory as a directory.
                using Process rename = Process.Start("mv", ["-T", At("..data_tmp"), At("..data")]);
                rename.WaitForExit();
                Assert.Equal(0, rename.ExitCode);
            }
        }
        finally
        {
            volume.Delete(recursive: true);
        }
    }

    [SlowFact]
    public async Task Without_the_key_nothing_is_watched()
    {
        using TempConfig config = new(Named("start").Replace("watch_config = true", "watch_config = false", StringComparison.Ordinal));
        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path]);
        config.Write(Named("other"));
        await Task.Delay(2500, TestContext.Current.CancellationToken);
        Assert.Equal("start", await InForceAsync(daemon));
    }

    private static string Named(string filter) => $"[[filter]]\nname = \"{filter}\"\nmatch = \"no-such-process\"\n[web]\nwatch_config = true\n";

    private static int Count(Daemon daemon, string text) => daemon.Log.Split(text).Length - 1;

    private static async Task<string> InForceAsync(Daemon daemon) =>
        Assert.Single((await daemon.ScrapeParsedAsync()).Of("thread_exporter_filter_matched_processes")).Labels["filter"];

    private static Task UntilInForceAsync(Daemon daemon, string filter) =>
        Eventually.TrueAsync(async () => await InForceAsync(daemon) == filter, $"the filter {filter} is active", () => Task.FromResult(daemon.Log));

    private static Task UntilGaugeAsync(Daemon daemon, double value) => Eventually.TrueAsync(
        async () => (await daemon.ScrapeParsedAsync()).Value("thread_exporter_config_last_reload_successful") == value,
        $"the gauge is {value}", () => Task.FromResult(daemon.Log));
}
