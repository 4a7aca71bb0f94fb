using System.Globalization;
using ThreadExporter.Linux;

namespace ThreadExporter.Procfs;

/// <summary>Mount option <c>hidepid=</c> of a procfs, which hides processes of other users from processes that are not exempt (proc(5)).</summary>
/// <param name="Option">As in mountinfo: <c>hidepid=invisible</c>, or <c>hidepid=2</c> before Linux 5.8.</param>
/// <param name="Group">Option <c>gid=</c>: members of this group are exempt, unless the mode is <c>ptraceable</c>.</param>
public readonly record struct HidePid(string Option, uint Group)
{
    private const int CapSysPtrace = 19;
    private const string Prefix = "hidepid=";

    private bool NeedsPtrace => Option is Prefix + "ptraceable" or Prefix + "4";

    /// <summary>The option that currently hides processes in <paramref name="root"/> from this process; null: none.</summary>
    public static string? OptionThatHides(ProcfsRoot root)
    {
        ArgumentNullException.ThrowIfNull(root);
        try
        {
            FileIdentity mounted = FileIdentity.Read(root.Path);
            string device = string.Create(CultureInfo.InvariantCulture, $"{mounted.Device >> 32}:{mounted.Device & uint.MaxValue}");
            foreach (string line in File.ReadLines("/proc/self/mountinfo"))
            {
                if (!TryParse(line, device, out HidePid hiding))
                    continue;
                bool isExempt = hiding.Exempts(File.ReadAllText("/proc/self/status")) && (IsInFirstUserNamespace() || CanReadFirstProcess(root));
                return isExempt ? null : hiding.Option;
            }
            return null;
        }
        // Unknown without a /proc of this process's own.
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Parses a line of <c>/proc/PID/mountinfo</c>. False: another file system, or nothing is hidden.</summary>
    /// <param name="line">
    /// ID, parent, <c>major:minor</c>, root, mount point, options, optional fields, a hyphen, type, source, options of the file system.
    /// </param>
    /// <param name="device"><c>major:minor</c> of the procfs.</param>
    /// <param name="hiding">The option.</param>
    public static bool TryParse(string line, string device, out HidePid hiding)
    {
        ArgumentNullException.ThrowIfNull(line);
        hiding = default;
        string[] fields = line.Split(' ');
        int hyphen = Array.IndexOf(fields, "-");
        if (hyphen < 6 || fields.Length < hyphen + 4 || fields[2] != device || fields[hyphen + 1] != "proc")
            return false;
        string[] options = fields[hyphen + 3].Split(',');
        string? option = Array.Find(options, o => o.StartsWith(Prefix, StringComparison.Ordinal));
        if (option is null or Prefix + "off" or Prefix + "0")
            return false;
        // The default is group 0 (fs/proc/root.c).
        string? group = Array.Find(options, o => o.StartsWith("gid=", StringComparison.Ordinal));
        uint gid = 0;
        if (group is not null)
            _ = uint.TryParse(group.AsSpan(4), NumberStyles.None, CultureInfo.InvariantCulture, out gid);
        hiding = new HidePid(option, gid);
        return true;
    }

    /// <summary>Whether a process with this <c>status</c> is in the group, or may trace every process: fs/proc/base.c, has_pid_permissions.</summary>
    public bool Exempts(string status)
    {
        ArgumentNullException.ThrowIfNull(status);
        bool inGroup = false, mayTrace = false;
        uint group = Group;
        foreach (string line in status.Split('\n'))
        {
            string[] words = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (words is ["CapEff:", var capabilities, ..])
            {
                mayTrace = ulong.TryParse(capabilities, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong set)
                    && (set >> CapSysPtrace & 1) == 1;
            }
            // The last of the four gids on line Gid is the file system gid, which counts.
            else if (words is ["Gid:", _, _, _, var own])
                inGroup |= IsGroup(own);
            else if (words is ["Groups:", .. var others])
                inGroup |= others.Any(IsGroup);
        }
        return mayTrace || (inGroup && !NeedsPtrace);

        bool IsGroup(string word) => uint.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out uint gid) && gid == group;
    }

    // In another user namespace a capability does not apply to processes outside of it.
    private static bool IsInFirstUserNamespace() =>
        File.ReadAllText("/proc/self/uid_map").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is ["0", "0", "4294967295"];

    // Every pid namespace has a pid 1.
    private static bool CanReadFirstProcess(ProcfsRoot root)
    {
        ReadStatus status = RawFile.Open(root.Fd, "1/stat"u8, out int first);
        RawFile.Close(first);
        return status == ReadStatus.Ok;
    }
}
