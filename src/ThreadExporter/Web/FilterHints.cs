using ThreadExporter.Configuration;
using ThreadExporter.Matching;

namespace ThreadExporter.Web;

/// <summary>Why a rule may match less than one thinks, by the keys that it has. Values of the configuration are not told.</summary>
internal static class FilterHints
{
    /// <param name="rule">The rule.</param>
    /// <param name="empty">It matches nothing now.</param>
    public static IEnumerable<string> Of(Rule rule, bool empty)
    {
        FilterConfig config = rule.Config;
        if (rule.ExeDenied)
            yield return "exe could not be read of some processes: that needs the same user or CAP_SYS_PTRACE.";
        if (rule.PidFileUnreadable)
            yield return "The pidfile cannot be read, so the rule matches nothing.";
        if (rule.PidFileIsStale)
            yield return "The process whose number the pidfile holds started after the file was written, so it is another process and does not match.";
        if (rule.LacksUsers)
            yield return "A user that it names is not known on this host (yet).";
        if (!empty)
            yield break;
        if (config.MatchNames.Length > 0 || config.Comm.Length > 0)
            yield return "Names are those of /proc/PID/comm: 15 bytes at most, and case matters. `ps -eo pid,comm` lists them.";
        if (config.MatchPids.Length > 0 || config.Pid.Length > 0)
            yield return "A process that starts again has another pid: a name or a unit finds it again.";
        if (config.PidFile is not null && !rule.PidFileUnreadable && !rule.PidFileIsStale)
            yield return "The pidfile is not there, or names a process that is not running.";
        if (config.User.Length > 0 && !rule.LacksUsers)
            yield return "user is the effective user of the process.";
        if (config.Unit.Length > 0 || config.Cgroup.Length > 0)
            yield return "Units and cgroups are those of /proc/PID/cgroup: `systemctl status PID` shows the unit of a process.";
        if (config.Exe.Length > 0 && !rule.ExeDenied)
            yield return "exe is the whole path, links resolved: `readlink /proc/PID/exe`.";
        if (config.Cmdline is not null)
            yield return "cmdline is looked for in the arguments with blanks between them: `tr '\\0' ' ' < /proc/PID/cmdline`.";
        if (rule.Index > 0)
            yield return "The first filter that matches a process owns it: an earlier one may have it.";
    }
}
