using System.Buffers;
using ThreadExporter.Procfs;

namespace ThreadExporter.Matching;

/// <summary>
/// The container and the Kubernetes pod that a cgroup path names. Docker, containerd, CRI-O and Podman agree on ids of 64 hexadecimal
/// digits. The text around the id depends on the runtime and on whether systemd or the runtime creates the cgroups. ECS on Fargate has another
/// form of id. LXC, Nomad, Garden and systemd-nspawn name their containers without an id; there is no label for them.
/// </summary>
internal static class ContainerIds
{
    private const int IdLength = 64;
    private const int TaskIdLength = 32;
    private const string Scope = ".scope";
    private const string Slice = ".slice";
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    /// <summary>The innermost container and the innermost pod in the first path that names either; null: none.</summary>
    public static (string? ContainerId, string? PodUid) Find(List<CgroupEntry> entries)
    {
        // In cgroup v1 every hierarchy has a path, and that of systemd may be empty. All of them name the same container.
        foreach (CgroupEntry entry in entries)
        {
            string? container = null;
            string? pod = null;
            ReadOnlySpan<char> path = CgroupUnits.Trim(entry.Path);
            ReadOnlySpan<char> parent = default;
            foreach (Range range in path.Split('/'))
            {
                ReadOnlySpan<char> component = path[range];
                // Podman's own pods (not those of Kubernetes) have such ids too; the container is one level deeper.
                if (parent is not "libpod_parent" || component.StartsWith("libpod-", StringComparison.Ordinal))
                    container = ContainerId(component) ?? FargateId(component, parent) ?? container;
                pod = PodUid(component) ?? pod;
                parent = component;
            }
            if (container is not null || pod is not null)
                return (container, pod);
        }
        return (null, null);
    }

    /// <summary>
    /// <c>ID</c>, <c>OWNER-ID</c>, <c>OWNER-ID.scope</c>, and <c>SLICE:OWNER:ID</c>, which a runtime with the cgroupfs driver creates from a
    /// path that is meant for the systemd driver.
    /// </summary>
    private static string? ContainerId(ReadOnlySpan<char> component)
    {
        if (component.EndsWith(Scope, StringComparison.Ordinal))
            component = component[..^Scope.Length];
        if (component.Length < IdLength || component[^IdLength..].ContainsAnyExcept(HexDigits))
            return null;
        ReadOnlySpan<char> owner = component[..^IdLength];
        if (!owner.IsEmpty && owner[^1] is not ('-' or ':'))
            return null;
        // crio-conmon-ID and libpod-conmon-ID contain the runtime's monitor of the container, which runs outside the container.
        return owner.TrimEnd("-:").EndsWith("conmon", StringComparison.Ordinal) ? null : component[^IdLength..].ToString();
    }

    /// <summary>
    /// ECS on Fargate: the task id of 32 digits, a dash, and a decimal number (the DockerId of the task metadata endpoint). Its parent is the
    /// cgroup of the task, or <c>ecs</c>; a private cgroup namespace hides these from the task's other containers. With another parent, a
    /// component of this form is not a container.
    /// </summary>
    private static string? FargateId(ReadOnlySpan<char> component, ReadOnlySpan<char> parent)
    {
        if (component.Length is < TaskIdLength + 2 or > TaskIdLength + 11 || component[TaskIdLength] != '-')
            return null;
        ReadOnlySpan<char> task = component[..TaskIdLength];
        if (task.ContainsAnyExcept(HexDigits) || component[(TaskIdLength + 1)..].ContainsAnyExceptInRange('0', '9'))
            return null;
        return parent.IsEmpty || parent is "ecs" || parent.SequenceEqual(task) ? component.ToString() : null;
    }

    /// <summary>
    /// <c>podUID</c>, or with systemd <c>…-podUID.slice</c>, where the uid has underscores, because a dash means a nested slice
    /// (systemd.slice(5)).
    /// </summary>
    private static string? PodUid(ReadOnlySpan<char> component)
    {
        int colon = component.IndexOf(':');
        if (colon >= 0)
            component = component[..colon];
        if (component.EndsWith(Slice, StringComparison.Ordinal))
            component = component[(component.LastIndexOf('-') + 1)..^Slice.Length];
        return component.StartsWith("pod", StringComparison.Ordinal) && IsUid(component[3..]) ? component[3..].ToString().Replace('_', '-') : null;
    }

    /// <summary>A UUID or, for a static pod, the 32 digits of a hash of its manifest.</summary>
    private static bool IsUid(ReadOnlySpan<char> text)
    {
        if (text.Length == 32)
            return !text.ContainsAnyExcept(HexDigits);
        if (text.Length != 36)
            return false;
        for (int i = 0; i < text.Length; i++)
        {
            if (i is 8 or 13 or 18 or 23 ? text[i] is not ('-' or '_') : !HexDigits.Contains(text[i]))
                return false;
        }
        return true;
    }
}
