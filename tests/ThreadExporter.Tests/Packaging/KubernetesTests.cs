using System.Text;
using ThreadExporter.Configuration;
using ThreadExporter.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace ThreadExporter.Tests.Packaging;

/// <summary>packaging/kubernetes: the files agree with each other and with the program, and the pod has the least privileges possible.</summary>
public class KubernetesTests
{
    private static readonly YamlNode DaemonSet = Manifests.Single("base/daemonset.yaml", "DaemonSet");
    private static readonly YamlNode Pod = DaemonSet.At("spec", "template", "spec");
    private static readonly YamlNode Container = Assert.Single(Pod.Items("containers"));
    private static readonly string Toml = Manifests.Single("base/configmap.yaml", "ConfigMap").Text("data", "thread-exporter.toml");

    public static TheoryData<string> Files { get; } = [.. Manifests.Files];

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_document_is_an_object(string file)
    {
        foreach (YamlNode document in Manifests.Read(file))
        {
            Assert.Contains(document.Text("apiVersion"), (string[])["v1", "apps/v1", "rbac.authorization.k8s.io/v1", "kustomize.config.k8s.io/v1beta1", "monitoring.coreos.com/v1", "security.openshift.io/v1"]);
            if (document.Text("kind") == "Kustomization")
                continue;
            Assert.StartsWith("thread-exporter", document.Text("metadata", "name"), StringComparison.Ordinal);
            bool ofCluster = document.Text("kind") is "Namespace" or "SecurityContextConstraints";
            Assert.Equal(!ofCluster, document.At("metadata").Has("namespace"));
        }
    }

    [Fact]
    public void The_all_in_one_file_is_made_of_the_parts()
    {
        StringBuilder text = new("# All in one: kubectl apply -f thread-exporter-aio.yaml. Made of the files in base/, which a test checks.\n");
        foreach (YamlNode part in Manifests.Read("base/kustomization.yaml")[0].Items("resources"))
            text.Append("---\n").Append(File.ReadAllText(Path.Combine(Manifests.Folder, "base", part.ToString())));
        string path = Path.Combine(Manifests.Folder, "thread-exporter-aio.yaml");
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, text.ToString());
        Assert.Equal(text.ToString(), File.ReadAllText(path));
    }

    [Fact]
    public void Every_file_belongs_to_a_kustomization()
    {
        foreach (string file in Manifests.Files.Where(f => Path.GetFileName(f) is not ("kustomization.yaml" or "thread-exporter-aio.yaml")))
        {
            YamlNode kustomization = Manifests.Read(Path.Combine(Path.GetDirectoryName(file)!, "kustomization.yaml"))[0];
            string[] named = [.. kustomization.Items("resources").Select(r => r.ToString()), .. kustomization.Has("patches") ? kustomization.Items("patches").Select(p => p.Text("path")) : []];
            Assert.Contains(Path.GetFileName(file), named);
        }
    }

    [Theory]
    [InlineData(".", 5)]
    [InlineData("exits", 5)]
    [InlineData("openshift", 9)]
    public async Task Kustomize_builds_it(string folder, int documents)
    {
        // The kustomize of Debian 12 is too old for `patches`; any newer kubectl will do.
        const string Kubectl = "/usr/bin/kubectl";
        Assert.SkipUnless(File.Exists(Kubectl), "kubectl is not installed");
        (_, string version, _) = await ShellRun.RunAsync(Kubectl, ["version", "--client"]);
        Assert.SkipUnless(version.Contains("Kustomize Version: v5", StringComparison.Ordinal), "kubectl is older than kustomize 5");
        (int code, string output, string error) = await ShellRun.RunAsync(Kubectl, ["kustomize", Path.Combine(Manifests.Folder, folder)]);
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(documents, Manifests.Parse(output).Length);
    }

    [Fact]
    public void The_pod_is_not_privileged()
    {
        Assert.Equal("true", Pod.Text("hostPID"));
        foreach (string no in (string[])["hostNetwork", "hostIPC"])
            Assert.False(Pod.Has(no), no);
        Assert.Equal("false", Pod.Text("automountServiceAccountToken"));
        Assert.Equal(("true", "RuntimeDefault"), (Pod.Text("securityContext", "runAsNonRoot"), Pod.Text("securityContext", "seccompProfile", "type")));
        YamlNode security = Container.At("securityContext");
        Assert.Equal(("false", "false", "true"), (security.Text("privileged"), security.Text("allowPrivilegeEscalation"), security.Text("readOnlyRootFilesystem")));
        Assert.Equal(["ALL"], security.Items("capabilities", "drop").Select(c => c.ToString()));
        Assert.False(security.At("capabilities").Has("add"));
        YamlNode host = Assert.Single(Pod.Items("volumes"), v => v.Has("hostPath"));
        Assert.Equal("/sys/fs/cgroup", host.Text("hostPath", "path"));
        YamlNode mount = Assert.Single(Container.Items("volumeMounts"), m => m.Text("name") == host.Text("name"));
        Assert.Equal(("/host/sys/fs/cgroup", "true"), (mount.Text("mountPath"), mount.Text("readOnly")));
    }

    [Fact]
    public void Its_user_and_its_files_are_those_of_the_image()
    {
        string image = File.ReadAllText(Repository.File("packaging/container/Containerfile"));
        Assert.Contains($"USER {Pod.Text("securityContext", "runAsUser")}:{Pod.Text("securityContext", "runAsGroup")}", image, StringComparison.Ordinal);
        Assert.Contains($"EXPOSE {Container.Text("ports", 0, "containerPort")}", image, StringComparison.Ordinal);
        YamlNode run = Container.Items("volumeMounts").Single(m => m.Text("name") == "run");
        Assert.Contains($"RUNTIME_DIRECTORY={run.Text("mountPath")}", image, StringComparison.Ordinal);
        string version = System.Text.RegularExpressions.Regex.Match(File.ReadAllText(Repository.File("Directory.Build.props")), "<Version>(.*)</Version>").Groups[1].Value;
        Assert.Equal($"thread-exporter:{version}", Container.Text("image"));
        Assert.Equal(version, Manifests.Read("kustomization.yaml")[0].Text("images", 0, "newTag"));
    }

    [Fact]
    public void Labels_ports_and_names_lead_from_one_object_to_the_next()
    {
        Dictionary<string, string> labels = DaemonSet.Map("spec", "template", "metadata", "labels");
        Assert.Equal(labels, DaemonSet.Map("spec", "selector", "matchLabels"));
        YamlNode service = Manifests.Single("base/service.yaml", "Service");
        Assert.Equal(labels, service.Map("spec", "selector"));
        Assert.Equal(Container.Text("ports", 0, "name"), service.Text("spec", "ports", 0, "targetPort"));
        Assert.Equal(Container.Text("ports", 0, "containerPort"), service.Text("spec", "ports", 0, "port"));
        foreach (string probe in (string[])["livenessProbe", "readinessProbe"])
            Assert.Equal(Container.Text("ports", 0, "name"), Container.Text(probe, "httpGet", "port"));

        YamlNode monitor = Manifests.Single("monitoring/servicemonitor.yaml", "ServiceMonitor");
        Assert.Equal(service.Map("metadata", "labels"), monitor.Map("spec", "selector", "matchLabels"));
        Assert.Equal(service.Text("spec", "ports", 0, "name"), monitor.Text("spec", "endpoints", 0, "port"));
        Assert.Equal("thread-exporter", service.Map("metadata", "labels")[monitor.Text("spec", "jobLabel")]);

        string[] volumes = [.. Pod.Items("volumes").Select(v => v.Text("name"))];
        Assert.Equal(volumes, Container.Items("volumeMounts").Select(m => m.Text("name")));
        YamlNode config = Pod.Items("volumes").Single(v => v.Has("configMap"));
        Assert.Equal(Manifests.Single("base/configmap.yaml", "ConfigMap").Text("metadata", "name"), config.Text("configMap", "name"));
        Assert.Equal($"{Container.Text("volumeMounts", 0, "mountPath")}/thread-exporter.toml", Container.Items("args")[^1].ToString());
        Assert.Equal(Manifests.Single("base/serviceaccount.yaml", "ServiceAccount").Text("metadata", "name"), Pod.Text("serviceAccountName"));
    }

    [Fact]
    public void Probes_request_pages_that_exist()
    {
        string endpoints = File.ReadAllText(Repository.File("src/ThreadExporter/Web/MetricsEndpoints.cs"));
        foreach (string probe in (string[])["livenessProbe", "readinessProbe"])
            Assert.Contains($"\"{Container.Text(probe, "httpGet", "path")}\"", endpoints, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_configuration_passes_check_and_follows_its_file()
    {
        using TempConfig file = new(Toml);
        (int code, string output, string error) = await Daemon.RunAsync(["check", "--config", file.Path]);
        Assert.True(code == 0, output + error);
        ExporterConfig config = ConfigLoader.Parse(Encoding.UTF8.GetBytes(Toml), "x.toml", new ConfigOverrides()).Config!;
        Assert.True(config.Web.WatchConfig);
        Assert.EndsWith($":{Container.Text("ports", 0, "containerPort")}", Assert.Single(config.Web.Listen), StringComparison.Ordinal);
        // 33 MB of private memory with 10,000 threads, and 7.6 kB of kernel memory for each descriptor.
        Assert.True(Manifests.Bytes(Container.Text("resources", "limits", "memory")) > 33_000_000 + 7_600L * config.Collector.MaxDescriptors);
    }

    [Fact]
    public void The_security_context_constraints_allow_the_pod_and_no_more()
    {
        YamlNode scc = Manifests.Single("openshift/scc.yaml", "SecurityContextConstraints");
        foreach (KeyValuePair<YamlNode, YamlNode> entry in ((YamlMappingNode)scc).Children.Where(e => e.Key.ToString().StartsWith("allow", StringComparison.Ordinal) && e.Value is YamlScalarNode))
            Assert.Equal((entry.Key.ToString(), entry.Key.ToString() is "allowHostPID" or "allowHostDirVolumePlugin" ? "true" : "false"), (entry.Key.ToString(), entry.Value.ToString()));
        Assert.Empty(scc.Items("allowedCapabilities"));
        Assert.Equal(["ALL"], scc.Items("requiredDropCapabilities").Select(c => c.ToString()));
        Assert.Equal("MustRunAsNonRoot", scc.Text("runAsUser", "type"));
        string[] kinds = [.. Pod.Items("volumes").Select(v => v.Has("configMap") ? "configMap" : v.Has("hostPath") ? "hostPath" : "emptyDir")];
        Assert.Equal(kinds, scc.Items("volumes").Select(v => v.ToString()));
        YamlNode role = Manifests.Single("openshift/role.yaml", "Role");
        Assert.Equal(scc.Text("metadata", "name"), Assert.Single(role.Items("rules", 0, "resourceNames")).ToString());
        YamlNode binding = Manifests.Single("openshift/role.yaml", "RoleBinding");
        Assert.Equal(role.Text("metadata", "name"), binding.Text("roleRef", "name"));
        Assert.Equal(Pod.Text("serviceAccountName"), Assert.Single(binding.Items("subjects")).Text("name"));
    }
}
