using System.Text.RegularExpressions;
using ThreadExporter.Configuration;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Exposition;

/// <summary>
/// <see cref="ThreadExporter.Model.RenderedLabels"/> in <see cref="ThreadExporter.Exposition.ThreadMetrics"/>: labels are rendered once and kept until a value changes.
/// </summary>
public sealed class RenderedLabelsTests : IDisposable
{
    private readonly FixtureProc _proc = new();
    private readonly LiveCollector _live;

    public RenderedLabelsTests()
    {
        _proc.Process(10, "f", threads: 2, cmdline: "f --instance a");
        _proc.Thread(10, 10, "f"u8, 1);
        _proc.Thread(10, 11, "worker"u8, 1);
        _live = new LiveCollector(LiveCollector.Config(new FilterConfig { Name = "r", Cmdline = new Regex("--instance") }), _proc.Root);
        Assert.Equal((1, 1, 7), Count("{daemon=\"f\",ppid=\"10\",pname=\"f\",tid=\"11\",tname=\"worker\"}"));
    }

    public void Dispose()
    {
        _live.Dispose();
        _proc.Dispose();
    }

    [Fact]
    public void A_renamed_thread_gets_new_labels_and_the_others_keep_theirs()
    {
        _proc.ThreadStat(10, 11, "again"u8, 0, 0);
        _proc.SchedStat(10, 11, 2, 0, 0);
        Assert.Equal((1, 1, 7), Count("{daemon=\"f\",ppid=\"10\",pname=\"f\",tid=\"11\",tname=\"again\"}"));
    }

    [Fact]
    public void A_renamed_process_changes_the_labels_of_its_threads()
    {
        _proc.ProcessStat(10, "g", 2);
        Assert.Equal((1, 1, 7), Count("{daemon=\"g\",ppid=\"10\",pname=\"g\",tid=\"11\",tname=\"worker\"}"));
    }

    [Fact]
    public void A_reload_that_changes_the_daemon_name_changes_the_labels()
    {
        _live.Use(LiveCollector.Config(new FilterConfig { Name = "r", Cmdline = new Regex("--instance"), Daemon = new Regex("--instance (\\S+)") }));
        Assert.Equal((1, 1, 7), Count("{daemon=\"a\",ppid=\"10\",pname=\"f\",tid=\"11\",tname=\"worker\"}"));
    }

    [Fact]
    public void A_thread_with_a_reused_tid_gets_its_own_labels()
    {
        _live.Use(_live.Snapshot.Config with { Collector = _live.Snapshot.Config.Collector with { MaxDescriptors = 0 } });
        _proc.ThreadStat(10, 11, "reborn"u8, 0, 0, start: 900);
        _proc.SchedStat(10, 11, 5, 0, 0);
        Assert.Equal((1, 1, 7), Count("{daemon=\"f\",ppid=\"10\",pname=\"f\",tid=\"11\",tname=\"reborn\"}"));
    }

    /// <summary>The number of label sets of tid 11 and of tid 10, and the number of samples with this label set.</summary>
    private (int OfEleven, int OfTen, int Samples) Count(string labels)
    {
        _live.Collector.Collect(_live.Snapshot);
        string[] lines = [.. _live.Render().Split('\n').Where(l => l.StartsWith("perfscale_thread_", StringComparison.Ordinal))];
        string[] sets = [.. lines.Select(l => l[l.IndexOf('{')..(l.LastIndexOf('}') + 1)])];
        return (
            sets.Where(s => s.Contains("tid=\"11\"", StringComparison.Ordinal)).Distinct().Count(),
            sets.Where(s => s.Contains("tid=\"10\"", StringComparison.Ordinal)).Distinct().Count(),
            sets.Count(s => s == labels));
    }
}
