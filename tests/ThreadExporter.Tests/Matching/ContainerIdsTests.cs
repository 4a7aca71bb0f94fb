using ThreadExporter.Matching;
using ThreadExporter.Procfs;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Matching;

/// <summary>Files in Cgroups/ have <c>/proc/PID/cgroup</c> of each runtime; the tests have the expected labels.</summary>
public sealed class ContainerIdsTests
{
    private const string Id = "8f14e45fceea167a5a36dedd4bea2543c1a5b2d0e6c74b8d9f30217a6bc4e501";
    private const string OuterId = "c9f0f895fb98ab9159f51fd0297e236d45c48cce2e2d7fbdea1afc51c7c6ad26";
    private const string Uid = "1b7e4a52-93c6-4d0f-8a21-7f5e0c9d3b64";
    private const string StaticUid = "d3b07384d113edec49eaa6238ad5ff00";

    private const string FargateId = "cd189a933e5849daa93386466019ab50-2495160603";

    private static string Folder { get; } = Repository.File("tests/ThreadExporter.Tests/Matching/Cgroups");

    [Theory]
    [InlineData("docker-systemd", Id, null, "docker-" + Id + ".scope")]
    [InlineData("docker-systemd-v1", Id, null, "docker-" + Id + ".scope")]
    [InlineData("docker-cgroupfs", Id, null, null)]
    [InlineData("docker-cgroupfs-hybrid", Id, null, "containerd.service")]
    [InlineData("docker-cgroupfs-v1-without-systemd", Id, null, null)]
    [InlineData("docker-cgroup-parent", Id, null, "docker-" + Id + ".scope")]
    [InlineData("docker-in-a-service", Id, null, "runner.service")]
    [InlineData("docker-in-docker", Id, null, "docker-" + OuterId + ".scope")]
    [InlineData("docker-in-a-pod", Id, Uid, null)]
    [InlineData("kubelet-docker-systemd", Id, Uid, "docker-" + Id + ".scope")]
    [InlineData("kubelet-docker-cgroupfs", Id, Uid, null)]
    [InlineData("containerd-systemd-burstable", Id, Uid, "cri-containerd-" + Id + ".scope")]
    [InlineData("containerd-systemd-besteffort", Id, Uid, "cri-containerd-" + Id + ".scope")]
    [InlineData("containerd-systemd-guaranteed", Id, Uid, "cri-containerd-" + Id + ".scope")]
    [InlineData("containerd-cgroupfs-burstable", Id, Uid, null)]
    [InlineData("containerd-cgroupfs-guaranteed", Id, Uid, null)]
    [InlineData("containerd-static-pod", Id, StaticUid, "cri-containerd-" + Id + ".scope")]
    [InlineData("containerd-static-pod-cgroupfs", Id, StaticUid, null)]
    [InlineData("containerd-systemd-path-without-systemd", Id, Uid, "containerd.service")]
    [InlineData("containerd-namespace", Id, null, null)]
    [InlineData("nerdctl", Id, null, "nerdctl-" + Id + ".scope")]
    [InlineData("crio-systemd", Id, Uid, "crio-" + Id + ".scope")]
    [InlineData("crio-crun-subgroup", Id, Uid, "crio-" + Id + ".scope")]
    [InlineData("crio-cgroupfs", Id, Uid, null)]
    [InlineData("crio-conmon-systemd", null, Uid, "crio-conmon-" + Id + ".scope")]
    [InlineData("crio-conmon-system-slice", null, null, "crio-conmon-" + Id + ".scope")]
    [InlineData("crio-conmon-cgroupfs", null, Uid, null)]
    [InlineData("podman-systemd", Id, null, "libpod-" + Id + ".scope")]
    [InlineData("podman-systemd-v1", Id, null, "libpod-" + Id + ".scope")]
    [InlineData("podman-cgroupfs", Id, null, null)]
    [InlineData("podman-conmon", null, null, "libpod-conmon-" + Id + ".scope")]
    [InlineData("podman-conmon-cgroupfs", null, null, null)]
    [InlineData("podman-pod", Id, null, "libpod-" + Id + ".scope")]
    [InlineData("podman-pod-conmon", null, null, "libpod-conmon-" + Id + ".scope")]
    [InlineData("podman-pod-cgroupfs", Id, null, null)]
    [InlineData("podman-pod-conmon-cgroupfs", null, null, null)]
    [InlineData("podman-rootless", Id, null, "libpod-" + Id + ".scope")]
    [InlineData("podman-rootless-conmon", null, null, "libpod-conmon-" + Id + ".scope")]
    [InlineData("podman-rootless-quadlet", Id, null, "redis.service")]
    [InlineData("podman-quadlet-conmon", null, null, "redis.service")]
    [InlineData("podman-healthcheck", null, null, Id + "-5f3c1d.service")]
    [InlineData("kind-systemd", Id, Uid, "cri-containerd-" + Id + ".scope")]
    [InlineData("kind-cgroupfs", Id, Uid, "containerd.service")]
    [InlineData("kind-node-service", OuterId, null, "kubelet.service")]
    [InlineData("private-namespace-other-pod", Id, Uid, "cri-containerd-" + Id + ".scope")]
    [InlineData("private-namespace-same-pod", Id, null, "crio-" + Id + ".scope")]
    [InlineData("private-namespace-cgroupfs", Id, Uid, null)]
    [InlineData("private-namespace-own", null, null, null)]
    [InlineData("private-namespace-parent", null, null, null)]
    [InlineData("k3s-cgroupfs", Id, Uid, "k3s.service")]
    [InlineData("private-namespace-cgroupfs-besteffort", Id, Uid, null)]
    [InlineData("private-namespace-cgroupfs-burstable", Id, Uid, null)]
    [InlineData("private-namespace-cgroupfs-guaranteed", Id, Uid, null)]
    [InlineData("private-namespace-cgroupfs-static-pod", Id, StaticUid, null)]
    [InlineData("private-namespace-cgroupfs-v1", Id, Uid, null)]
    [InlineData("private-namespace-crio-cgroupfs", Id, Uid, null)]
    [InlineData("private-namespace-systemd-same-class", Id, Uid, "cri-containerd-" + Id + ".scope")]
    [InlineData("private-namespace-systemd-besteffort", Id, Uid, "crio-" + Id + ".scope")]
    [InlineData("private-namespace-systemd-guaranteed", Id, Uid, "cri-containerd-" + Id + ".scope")]
    [InlineData("private-namespace-systemd-v1", Id, Uid, "docker-" + Id + ".scope")]
    [InlineData("private-namespace-same-pod-cgroupfs", Id, null, null)]
    [InlineData("private-namespace-kubelet", null, null, "kubelet.service")]
    [InlineData("ecs-ec2-cgroupfs", Id, null, null)]
    [InlineData("ecs-ec2-cgroupfs-v1", Id, null, null)]
    [InlineData("ecs-ec2-systemd", Id, null, "docker-" + Id + ".scope")]
    [InlineData("ecs-ec2-old-task-id", Id, null, null)]
    [InlineData("ecs-fargate", FargateId, null, null)]
    [InlineData("ecs-fargate-without-task", FargateId, null, null)]
    [InlineData("ecs-fargate-private-namespace", FargateId, null, null)]
    [InlineData("ecs-task-only", null, null, null)]
    [InlineData("no-ecs-elsewhere", null, null, null)]
    [InlineData("no-ecs-no-number", null, null, null)]
    [InlineData("no-ecs-not-a-number", null, null, null)]
    [InlineData("no-ecs-another-task", null, null, null)]
    [InlineData("lxc-payload", null, null, "nginx.service")]
    [InlineData("lxc-monitor", null, null, null)]
    [InlineData("lxc-v1", null, null, "init.scope")]
    [InlineData("nomad", null, null, "2b6a3c1e-52f4-9d07-6c1b-8e0f1a2b3c4d.redis.scope")]
    [InlineData("nomad-docker", Id, null, "docker-" + Id + ".scope")]
    [InlineData("garden", null, null, "garden.service")]
    [InlineData("nspawn", null, null, "nginx.service")]
    [InlineData("snap-service", null, null, "snap.lxd.daemon.service")]
    [InlineData("run-scope", null, null, "run-rcd189a933e5849daa93386466019ab50.scope")]
    [InlineData("deleted", Id, Uid, "cri-containerd-" + Id + ".scope")]
    [InlineData("deleted-cgroupfs", Id, null, null)]
    [InlineData("service", null, null, "ceph-osd@3.service")]
    [InlineData("session", null, null, "session-3.scope")]
    [InlineData("overlay-mount", null, null, null)]
    [InlineData("no-id-63-digits", null, null, null)]
    [InlineData("no-id-65-digits", null, null, null)]
    [InlineData("no-id-upper-case", null, null, null)]
    [InlineData("no-id-not-hex", null, null, null)]
    [InlineData("no-pod-uid", null, null, null)]
    [InlineData("no-pod-uid-not-hex", null, null, null)]
    [InlineData("no-pod-uid-no-dashes", null, null, null)]
    [InlineData("empty", null, null, null)]
    public void Container_pod_and_unit_are_the_innermost(string file, string? container, string? pod, string? unit)
    {
        List<CgroupEntry> entries = new();
        Assert.True(ProcCgroup.TryParse(File.ReadAllBytes(Path.Combine(Folder, file)), entries));
        Assert.Equal((container, pod), ContainerIds.Find(entries));
        Assert.Equal(unit, CgroupUnits.Unit(entries));
    }

    [Fact]
    public void Every_file_has_its_expectation() =>
        Assert.Equal(
            Directory.EnumerateFiles(Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal),
            typeof(ContainerIdsTests).GetMethod(nameof(Container_pod_and_unit_are_the_innermost))!.GetCustomAttributesData()
                .Where(a => a.AttributeType == typeof(InlineDataAttribute))
                .Select(a => (string?)((IReadOnlyList<System.Reflection.CustomAttributeTypedArgument>)a.ConstructorArguments[0].Value!)[0].Value).Order(StringComparer.Ordinal));
}
