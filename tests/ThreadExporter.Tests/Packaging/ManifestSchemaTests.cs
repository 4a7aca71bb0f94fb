using System.Text.Json;
using System.Text.Json.Nodes;
using ThreadExporter.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace ThreadExporter.Tests.Packaging;

/// <summary>packaging/kubernetes against the schemas of the Kubernetes API and of the Prometheus operator. tests/npm has their versions and the validator.</summary>
public sealed class ManifestSchemaTests(ITestOutputHelper output)
{
    /// <summary>OpenShift's own kinds are in none of the packages.</summary>
    private static readonly string[] WithoutSchema = ["security.openshift.io/v1 SecurityContextConstraints"];

    /// <summary>A file, a text in it, what replaces it, and the error that must be found.</summary>
    private static readonly (string File, string Old, string New, string Error)[] Damages =
    [
        ("base/namespace.yaml", "kind: Namespace", "kind: NameSpace", "no schema for v1 NameSpace"),
        ("base/daemonset.yaml", "apiVersion: apps/v1", "apiVersion: apps/v2", "no schema for apps/v2 DaemonSet"),
        ("base/daemonset.yaml", "hostPID: true", "hostPid: true", "/spec/template/spec/hostPid is not in the schema"),
        ("base/daemonset.yaml", "hostPID: true", "hostPID: \"true\"", "/spec/template/spec/hostPID must be boolean"),
        ("base/daemonset.yaml", "containerPort: 9199", "containerPort: metrics", "/spec/template/spec/containers/0/ports/0/containerPort must be integer"),
        ("base/daemonset.yaml", "readOnlyRootFilesystem: true", "readonlyRootFilesystem: true", "/spec/template/spec/containers/0/securityContext/readonlyRootFilesystem is not in the schema"),
        ("base/daemonset.yaml", "path: /-/ready", "paths: { one: /-/ready }", "/spec/template/spec/containers/0/readinessProbe/httpGet/paths is not in the schema"),
        ("base/daemonset.yaml", "  selector:\n    matchLabels:\n      app.kubernetes.io/name: thread-exporter\n", "", "/spec must have required property selector"),
        ("base/configmap.yaml", "  thread-exporter.toml: |", "  number: 1\n  thread-exporter.toml: |", "/data/number must be string"),
        ("base/service.yaml", "clusterIP: None", "clusterIp: None", "/spec/clusterIp is not in the schema"),
        ("base/serviceaccount.yaml", "automountServiceAccountToken: false", "automountServiceAccountToken: never", "/automountServiceAccountToken must be boolean"),
        ("exits/netadmin.yaml", "add: [\"NET_ADMIN\"]", "add: NET_ADMIN", "/spec/template/spec/containers/0/securityContext/capabilities/add must be array"),
        ("exits/netadmin.yaml", "hostNetwork: true", "hostNetworking: true", "/spec/template/spec/hostNetworking is not in the schema"),
        ("openshift/selinux.yaml", "type: spc_t", "types: [spc_t]", "/spec/template/spec/securityContext/seLinuxOptions/types is not in the schema"),
        ("openshift/role.yaml", "verbs: [\"use\"]", "verb: [\"use\"]", "/rules/0/verb is not in the schema"),
        ("openshift/role.yaml", "roleRef:", "role:", "must have required property roleRef"),
        ("monitoring/servicemonitor.yaml", "sampleLimit: 250000", "sampleLimit: many", "/spec/sampleLimit must be integer"),
        ("monitoring/servicemonitor.yaml", "interval: 15s", "interval: 15 s", "/spec/endpoints/0/interval must match pattern"),
        ("monitoring/servicemonitor.yaml", "targetLabel: instance", "target_label: instance", "/spec/endpoints/0/relabelings/0/target_label is not in the schema"),
        ("monitoring/servicemonitor.yaml", "action: labeldrop", "action: dropLabel", "/spec/endpoints/0/relabelings/1/action must be equal to one of the allowed values"),
    ];

    [SlowFact]
    public async Task Every_document_fits_its_schema()
    {
        (string File, YamlNode Document)[] documents =
            [.. Manifests.Files.Where(f => Path.GetFileName(f) != "kustomization.yaml").SelectMany(f => Manifests.Read(f).Select(d => (f, d)))];
        string[][] errors = await ValidateAsync(documents);
        List<string> bad = [];
        HashSet<string> skipped = [];
        foreach (((string file, YamlNode document), string[] found) in documents.Zip(errors))
        {
            string kind = $"{document.Text("apiVersion")} {document.Text("kind")}";
            if (found is [string error] && error == $"no schema for {kind}" && WithoutSchema.Contains(kind))
                skipped.Add(kind);
            else
                bad.AddRange(found.Select(e => $"{file}, {kind}: {e}"));
        }
        Assert.Empty(bad);
        Assert.Equal(WithoutSchema, skipped);
        output.WriteLine($"{documents.Length - skipped.Count} documents fit their schemas; no schema for {string.Join(", ", skipped)}");
    }

    [SlowFact]
    public async Task Unknown_fields_and_wrong_types_are_found()
    {
        // One run of the validator for all of them.
        (int Damage, string File, YamlNode Document)[] documents = [.. Damages.SelectMany((d, i) => Manifests.Parse(Damage(d.File, d.Old, d.New)).Select(y => (i, d.File, y)))];
        string[][] errors = await ValidateAsync(documents.Select(d => (d.File, d.Document)));
        ILookup<int, string> found = documents.Zip(errors).SelectMany(p => p.Second.Select(e => (p.First.Damage, Error: e))).ToLookup(p => p.Damage, p => p.Error);
        for (int i = 0; i < Damages.Length; i++)
        {
            (string file, string old, string damaged, string error) = Damages[i];
            Assert.True(found[i].Any(e => e.StartsWith(error, StringComparison.Ordinal)), $"{file} with <{damaged}> for <{old}>: expected <{error}>, got <{string.Join("; ", found[i])}>");
        }
    }

    private static string Damage(string file, string old, string damaged)
    {
        string text = File.ReadAllText(Path.Combine(Manifests.Folder, file));
        Assert.Contains(old, text, StringComparison.Ordinal);
        return text.Replace(old, damaged, StringComparison.Ordinal);
    }

    /// <summary>The errors of each document.</summary>
    private static async Task<string[][]> ValidateAsync(IEnumerable<(string File, YamlNode Document)> documents)
    {
        string? node = ((string[])["/usr/bin/node", "/usr/local/bin/node"]).FirstOrDefault(File.Exists);
        Assert.SkipWhen(node is null, "node is not installed");
        string installed = Repository.File("tests/npm/node_modules/installed-lock.json");
        Assert.SkipUnless(File.Exists(installed) && File.ReadAllText(installed) == File.ReadAllText(Repository.File("tests/npm/package-lock.json")),
            "the schemas of tests/npm/package-lock.json are not installed: tests/setup does it, with npm");
        JsonArray input = [.. documents.Select(d => new JsonObject { ["object"] = d.Document.Json(), ["patch"] = IsPatch(d.File) })];
        (int code, string json, string error) = await ShellRun.RunAsync(node!, [Repository.File("tests/npm/validate.js")], input: input.ToJsonString());
        Assert.Equal((0, ""), (code, error));
        string[][] errors = JsonSerializer.Deserialize<string[][]>(json)!;
        Assert.Equal(input.Count, errors.Length);
        return errors;
    }

    /// <summary>A kustomization merges it into another document: it lacks what that one has.</summary>
    private static bool IsPatch(string file)
    {
        string kustomization = Path.Combine(Path.GetDirectoryName(file)!, "kustomization.yaml");
        return Manifests.Files.Contains(kustomization) && Manifests.Read(kustomization)[0] is YamlNode root && root.Has("patches")
            && root.Items("patches").Any(p => p.Text("path") == Path.GetFileName(file));
    }
}
