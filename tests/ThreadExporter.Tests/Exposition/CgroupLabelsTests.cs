using System.Text;
using ThreadExporter.Configuration;
using ThreadExporter.Model;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Exposition;

/// <summary>
/// <see cref="ThreadExporter.Matching.CgroupLabels"/> (key <c>labels</c> of a filter): unit, container and pod as labels of the series.
/// </summary>
public sealed class CgroupLabelsTests : IDisposable
{
    private const string Id = "8f14e45fceea167a5a36dedd4bea2543c1a5b2d0e6c74b8d9f30217a6bc4e501";
    private const string Uid = "1b7e4a52-93c6-4d0f-8a21-7f5e0c9d3b64";
    private const string Pod = "0::/kubepods.slice/kubepods-pod1b7e4a52_93c6_4d0f_8a21_7f5e0c9d3b64.slice/crio-" + Id + ".scope\n";
    private const string PodLabels = ",unit=\"crio-" + Id + ".scope\",container_id=\"" + Id + "\",pod_uid=\"" + Uid + "\"";

    private readonly FixtureProc _proc = new();

    public void Dispose() => _proc.Dispose();

    [Fact]
    public void The_labels_are_the_last_of_the_process_and_thread_series()
    {
        using LiveCollector live = Collector(Pod);
        string text = Render(live);
        Assert.Contains("perfscale_thread_cpu_seconds_total{daemon=\"f\",ppid=\"10\",pname=\"f\",tid=\"11\",tname=\"worker\"" + PodLabels + "} 0.000000007\n", text, StringComparison.Ordinal);
        Assert.Contains("perfscale_process_threads{daemon=\"f\",pid=\"10\",pname=\"f\"" + PodLabels + "} 2\n", text, StringComparison.Ordinal);
        Assert.Contains("perfscale_process_threads_by_state{daemon=\"f\",pid=\"10\",pname=\"f\"" + PodLabels + ",state=\"S\"} 2\n", text, StringComparison.Ordinal);
        Assert.All(Samples(text), s => Assert.Contains(PodLabels, s, StringComparison.Ordinal));
    }

    [Fact]
    public void A_label_without_a_value_is_left_out()
    {
        using LiveCollector live = Collector("0::/system.slice/nginx.service\n");
        Assert.All(Samples(Render(live)), s =>
        {
            Assert.Contains("name=\"", s, StringComparison.Ordinal);
            Assert.Contains(",unit=\"nginx.service\"", s, StringComparison.Ordinal);
            Assert.DoesNotContain("container_id", s, StringComparison.Ordinal);
            Assert.DoesNotContain("pod_uid", s, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void A_filter_without_labels_reads_no_cgroup_and_adds_no_label()
    {
        using LiveCollector live = Collector(Pod, labels: []);
        File.Delete(Path.Combine(_proc.Root, "10/cgroup"));
        string text = Render(live);
        Assert.Contains("perfscale_process_threads{daemon=\"f\",pid=\"10\",pname=\"f\"} 2\n", text, StringComparison.Ordinal);
        Assert.Equal(0, live.Collector.Errors.Gone + live.Collector.Errors.Other);
    }

    [Fact]
    public void Each_filter_has_its_own_labels()
    {
        _proc.Process(20, "g", cgroup: Pod);
        _proc.Thread(20, 20, "g"u8, 7);
        using LiveCollector live = Collector(Pod, more: new FilterConfig { Name = "g", Comm = ["g"], Labels = ["container_id"] });
        Assert.Contains("perfscale_process_threads{daemon=\"g\",pid=\"20\",pname=\"g\",container_id=\"" + Id + "\"} 1\n", Render(live), StringComparison.Ordinal);
    }

    [Fact]
    public void A_process_in_another_cgroup_gets_new_labels_at_the_next_rescan()
    {
        using LiveCollector live = Collector("0::/system.slice/runtime.service\n");
        Assert.Contains("tname=\"worker\",unit=\"runtime.service\"}", Render(live), StringComparison.Ordinal);
        _proc.Write("10/cgroup", Encoding.UTF8.GetBytes(Pod));
        Assert.All(Samples(Render(live)), s => Assert.Contains(PodLabels, s, StringComparison.Ordinal));
    }

    [Fact]
    public void A_cgroup_that_cannot_be_read_leaves_the_labels_unchanged()
    {
        using LiveCollector live = Collector(Pod);
        Render(live);
        _proc.Write("10/cgroup", "0::/cut"u8);
        Assert.All(Samples(Render(live)), s => Assert.Contains(PodLabels, s, StringComparison.Ordinal));
        Assert.Equal(1, live.Collector.Errors.Malformed);
    }

    [Fact]
    public void A_reload_adds_and_removes_labels_and_the_counters_continue()
    {
        using LiveCollector live = Collector(Pod, labels: []);
        Render(live);
        WatchedThread before = live.Collector.Processes[0].Threads[1];
        live.Use(Config(["pod_uid"]));
        Assert.Contains("tid=\"11\",tname=\"worker\",pod_uid=\"" + Uid + "\"} 0.000000007\n", Render(live), StringComparison.Ordinal);
        Assert.Same(before, live.Collector.Processes[0].Threads[1]);
        live.Use(Config([]));
        Assert.DoesNotContain("pod_uid", Render(live), StringComparison.Ordinal);
    }

    [Fact]
    public void A_hostile_unit_name_gives_valid_text()
    {
        byte[] cgroup = [.. "0::/a\"b\\x2d{}="u8, 0xff, .. Enumerable.Repeat((byte)0xfe, 200), .. ".service\n"u8];
        using LiveCollector live = Collector("");
        _proc.Write("10/cgroup", cgroup);
        string text = Render(live);
        Assert.Contains("unit=\"a\\\"b\\\\x2d{}=\\\\xff\\\\xfe", text, StringComparison.Ordinal);
        Assert.Contains(Support.ParsedScrape.Parse(text).Samples, s => s.Labels.GetValueOrDefault("unit") == "a\"b\\x2d{}=\\xff" + string.Concat(Enumerable.Repeat("\\xfe", 200)) + ".service");
    }

    [Fact]
    public void The_docs_name_each_label()
    {
        string docs = File.ReadAllText(Repository.File("docs/metrics.md"));
        Assert.All(FilterConfig.LabelNames, label => Assert.Contains($"| `{label}` |", docs, StringComparison.Ordinal));
    }

    private LiveCollector Collector(string cgroup, string[]? labels = null, params FilterConfig[] more)
    {
        _proc.Process(10, "f", threads: 2, cgroup: cgroup);
        _proc.Thread(10, 10, "f"u8, 1);
        _proc.Thread(10, 11, "worker"u8, 7);
        return new LiveCollector(Config(labels ?? [.. FilterConfig.LabelNames], more), _proc.Root);
    }

    private static ExporterConfig Config(string[] labels, params FilterConfig[] more) =>
        LiveCollector.Config([new FilterConfig { Name = "f", Comm = ["f"], Labels = [.. labels] }, .. more]);

    private static string Render(LiveCollector live)
    {
        live.Collector.Collect(live.Snapshot);
        return live.Render();
    }

    private static string[] Samples(string text) => [.. text.Split('\n').Where(l => l.StartsWith("perfscale_", StringComparison.Ordinal))];
}
