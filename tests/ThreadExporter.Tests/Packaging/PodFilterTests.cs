using System.Text;
using System.Text.RegularExpressions;
using ThreadExporter.Configuration;
using ThreadExporter.Matching;
using ThreadExporter.Procfs;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Packaging;

/// <summary>The filter for all pods in a comment of the ConfigMap: it matches with each cgroup driver, in each cgroup namespace.</summary>
public sealed partial class PodFilterTests
{
    private const string Id = "8f14e45fceea167a5a36dedd4bea2543c1a5b2d0e6c74b8d9f30217a6bc4e501";
    private const string Pod = "pod1b7e4a52-93c6-4d0f-8a21-7f5e0c9d3b64";
    private const string SlicePod = "pod1b7e4a52_93c6_4d0f_8a21_7f5e0c9d3b64.slice";
    private const string StaticPod = "podd3b07384d113edec49eaa6238ad5ff00";
    private const string OwnPod = "pod5f1c0e77-2a3b-4c4d-9e8f-0a1b2c3d4e5f";
    private const string OwnSlicePod = "pod5f1c0e77_2a3b_4c4d_9e8f_0a1b2c3d4e5f.slice";

    /// <summary>Paths in the cgroup namespace of the host, and whether they are those of a pod.</summary>
    private static readonly (string Path, bool IsPod)[] CgroupFs =
    [
        ($"/kubepods/burstable/{Pod}/{Id}", true),
        ($"/kubepods/besteffort/{Pod}/{Id}", true),
        ($"/kubepods/{Pod}/{Id}", true),
        ($"/kubepods/burstable/{Pod}/crio-{Id}", true),
        ($"/kubepods/burstable/{StaticPod}/{Id}", true),
        ($"/kubepods/besteffort/{StaticPod}/{Id}", true),
        ($"/kubepods/{StaticPod}/{Id}", true),
    ];

    private static readonly (string Path, bool IsPod)[] Systemd =
    [
        ($"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-{SlicePod}/cri-containerd-{Id}.scope", true),
        ($"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-{SlicePod}/crio-{Id}.scope/container", true),
        ($"/kubepods.slice/kubepods-{SlicePod}/docker-{Id}.scope", true),
        ($"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-{StaticPod}.slice/cri-containerd-{Id}.scope", true),
    ];

    private static readonly (string Path, bool IsPod)[] Host =
    [
        ("/", false),
        ("/init.scope", false),
        ("/system.slice/kubelet.service", false),
        ("/system.slice/containerd.service", false),
        ("/system.slice/k3s.service", false),
        ("/system.slice/podman.service", false),
        ("/user.slice/user-1000.slice/session-3.scope", false),
        ("/machine.slice/libpod-conmon-" + Id + ".scope", false),
        ("/podruntime.slice/kubelet.service", false),
        ("/podruntime/kubelet", false),
        ("/podman/x", false),
        ($"/docker/{Id}", false),
        ($"/system.slice/docker-{Id}.scope", false),
    ];

    /// <summary>
    /// The driver, and the cgroup at which the exporter's namespace is rooted; empty: the namespace of the host. As shipped the pod is burstable; an
    /// overlay may change that.
    /// </summary>
    public static TheoryData<string, string> Combinations
    {
        get
        {
            TheoryData<string, string> rows = [];
            foreach (string own in (string[])["", $"/kubepods/burstable/{OwnPod}/own", $"/kubepods/besteffort/{OwnPod}/own", $"/kubepods/{OwnPod}/own"])
                rows.Add("cgroupfs", own);
            foreach (string own in (string[])["", $"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-{OwnSlicePod}/own.scope", $"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-{OwnSlicePod}/own.scope", $"/kubepods.slice/kubepods-{OwnSlicePod}/own.scope"])
                rows.Add("systemd", own);
            return rows;
        }
    }

    private static FilterConfig Shipped { get; } = ReadShipped();

    [Theory]
    [MemberData(nameof(Combinations))]
    public void It_matches_every_pod_and_no_daemon_of_the_host(string driver, string ownCgroup)
    {
        Glob[] globs = [.. Shipped.Cgroup.Select(static g => new Glob(g))];
        foreach ((string path, bool isPod) in (driver == "cgroupfs" ? CgroupFs : Systemd).Concat(Host))
        {
            string shown = Shown(path, ownCgroup);
            foreach (string text in (string[])[$"0::{shown}\n", $"5:memory:{shown}\n4:cpu,cpuacct:{shown}\n1:name=systemd:{shown}\n0::/\n", $"5:memory:{shown}\n4:cpu,cpuacct:{shown}\n"])
            {
                List<CgroupEntry> entries = [];
                Assert.True(ProcCgroup.TryParse(Encoding.UTF8.GetBytes(text), entries));
                Assert.True(isPod == CgroupUnits.MatchesPath([.. globs], entries), $"{path}, shown as {text}");
                (string? container, string? pod) = ContainerIds.Find(entries);
                if (isPod)
                    Assert.Equal((Id, true), (container, path.Contains($"pod{pod}", StringComparison.Ordinal) || path.Contains($"pod{pod?.Replace('-', '_')}", StringComparison.Ordinal)));
                string? unit = path.Split('/').LastOrDefault(static c => c.EndsWith(".service", StringComparison.Ordinal) || c.EndsWith(".scope", StringComparison.Ordinal));
                Assert.Equal(text.StartsWith("5:", StringComparison.Ordinal) && !text.Contains("systemd", StringComparison.Ordinal) ? null : unit, CgroupUnits.Unit(entries));
            }
        }
    }

    /// <summary>The exporter sees no pod uid in the paths of its own pod, so this filter does not match it (docs/kubernetes.md).</summary>
    [Theory]
    [InlineData("0::/\n")]
    [InlineData("0::/..\n")]
    [InlineData("0::/../" + Id + "\n")]
    [InlineData("0::/../cri-containerd-" + Id + ".scope\n")]
    public void In_a_private_namespace_it_leaves_out_the_pod_of_the_exporter(string cgroup)
    {
        List<CgroupEntry> entries = [];
        Assert.True(ProcCgroup.TryParse(Encoding.UTF8.GetBytes(cgroup), entries));
        Assert.False(CgroupUnits.MatchesPath([.. Shipped.Cgroup.Select(static g => new Glob(g))], entries));
    }

    /// <summary>The same with real paths of this kernel: the real program, in real cgroups.</summary>
    [Theory]
    [InlineData("kubepods/burstable/" + OwnPod + "/own", "kubepods/burstable/" + Pod + "/" + Id)]
    [InlineData("kubepods/burstable/" + OwnPod + "/own", "kubepods/besteffort/" + Pod + "/" + Id)]
    [InlineData("kubepods/besteffort/" + OwnPod + "/own", "kubepods/" + Pod + "/" + Id)]
    [InlineData("kubepods.slice/kubepods-burstable.slice/kubepods-burstable-" + OwnSlicePod + "/own.scope",
        "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-" + SlicePod + "/cri-containerd-" + Id + ".scope")]
    [InlineData("kubepods.slice/kubepods-burstable.slice/kubepods-burstable-" + OwnSlicePod + "/own.scope", "kubepods.slice/kubepods-" + SlicePod + "/crio-" + Id + ".scope")]
    public async Task The_program_finds_the_pod_in_real_cgroups(string ownCgroup, string podCgroup)
    {
        using CgroupTree tree = CgroupTree.Create();
        using TempConfig config = new(Uncommented());
        int inPod = tree.Start(podCgroup);
        int kubelet = tree.Start("system.slice/kubelet.service");
        foreach (bool isPrivate in (bool[])[false, true])
        {
            Support.ParsedScrape scrape = Support.ParsedScrape.Parse(await tree.RunAsync(ownCgroup, isPrivate, Daemon.Program, "once", "--config", config.Path));
            Sample[] processes = [.. scrape.Of("perfscale_process_threads")];
            Sample found = Assert.Single(processes, p => p.Labels["pid"] == $"{inPod}");
            Assert.Equal((Id, Pod[3..]), (found.Labels["container_id"], found.Labels["pod_uid"]));
            Assert.DoesNotContain(processes, p => p.Labels["pid"] == $"{kubelet}");
        }
    }

    /// <summary>A path as seen by a process whose cgroup namespace is rooted at its own cgroup: cgroup_namespaces(7).</summary>
    private static string Shown(string path, string root)
    {
        if (root.Length == 0)
            return path;
        string[] from = root.Split('/')[1..];
        string[] to = path == "/" ? [] : path.Split('/')[1..];
        int common = from.Zip(to).TakeWhile(static pair => pair.First == pair.Second).Count();
        return "/" + string.Join('/', Enumerable.Repeat("..", from.Length - common).Concat(to[common..]));
    }

    private static FilterConfig ReadShipped() =>
        ConfigLoader.Parse(Encoding.UTF8.GetBytes(Uncommented()), "x.toml", new ConfigOverrides()).Config!.Filters.Single(static f => f.Name == "pods");

    /// <summary>The configuration in the ConfigMap, with the commented-out filter enabled.</summary>
    private static string Uncommented()
    {
        string toml = Manifests.Single("base/configmap.yaml", "ConfigMap").Text("data", "thread-exporter.toml");
        Match block = Block().Match(toml);
        Assert.True(block.Success, toml);
        return toml.Replace(block.Value, block.Value.Replace("\n# ", "\n", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [GeneratedRegex(@"\n# \[\[filter\]\]\n(# .*\n)+")]
    private static partial Regex Block();
}
