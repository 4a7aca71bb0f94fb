using ThreadExporter.Configuration;
using ThreadExporter.Matching;
using ThreadExporter.Text;

namespace ThreadExporter.Web.Pages;

/// <summary>
/// Explains why a filter may match fewer processes than expected: problems found in the last scan of /proc, and, when it matches
/// nothing, notes on the keys it uses. Values from the configuration are not shown.
/// </summary>
internal static class FilterHints
{
    /// <param name="filter">The filter.</param>
    /// <param name="users">State of the user lookups.</param>
    /// <param name="empty">It matches no process now.</param>
    /// <param name="earlierOwns">An earlier filter owns a process.</param>
    /// <param name="usesShortLived">One of its processes used much of its CPU time in short-lived threads or processes.</param>
    public static IEnumerable<string> Of(CompiledFilter filter, UserDirectory users, bool empty, bool earlierOwns, bool usesShortLived = false)
    {
        FilterConfig config = filter.Config;
        if (filter.ExeDenied > 0)
            yield return $"exe of {Plural.Count(filter.ExeDenied, "process", "processes")} could not be read: this requires the same user or CAP_SYS_PTRACE.";
        if (filter.StateOfPidFile is PidFileState.Denied)
            yield return "The pidfile is not readable by the daemon's user, so the filter matches nothing.";
        if (filter.StateOfPidFile is PidFileState.Unreadable)
            yield return "The pidfile is not a readable file, so the filter matches nothing.";
        if (filter.PidFileIsStale)
            yield return "The process with the pid in the pidfile started after the file was written, so it is a different process and does not match.";
        UserState[] states = [.. config.User.Select(users.StateOf)];
        if (states.Any(s => s.IsAbsent))
            yield return "A user of this filter does not exist on this host.";
        if (states.Any(s => s is { HasNoResponse: true, Uid: null, IsAbsent: false }))
            yield return "The user directory has not responded for a user of this filter; until it does, that user matches no process.";
        if (states.Any(s => s is { HasNoResponse: true, Uid: not null }))
            yield return "The user directory does not respond for a user of this filter; the previous uid stays in use.";
        if (usesShortLived)
            yield return "More than a quarter of the CPU time of a process was used by short-lived threads or processes: `group = true` counts the processes, and exit records name both.";
        if (!empty)
            yield break;
        if (config.MatchNames.Length > 0 || config.Comm.Length > 0)
            yield return "Names are matched against /proc/PID/comm: 15 bytes at most, case-sensitive. `ps -eo pid,comm` lists them.";
        if (config.MatchPids.Length > 0 || config.Pid.Length > 0)
            yield return "A restarted process has a different pid: match it by name or unit instead.";
        if (!filter.PidFileIsStale && PidFileHint(filter.StateOfPidFile) is { } pidFile)
            yield return pidFile;
        if (states.Any(s => s.Uid is not null))
            yield return "user is compared with the effective user of the process.";
        if (config.Unit.Length > 0 || config.Cgroup.Length > 0)
            yield return "Units and cgroups come from /proc/PID/cgroup: `systemctl status PID` shows the unit of a process.";
        if (config.Exe.Length > 0)
            yield return "exe is the full path with links resolved: `readlink /proc/PID/exe`.";
        if (config.Cmdline is not null)
            yield return "cmdline is searched in the arguments joined by spaces: `tr '\\0' ' ' < /proc/PID/cmdline`.";
        if (earlierOwns)
            yield return "The first filter that matches a process owns it: an earlier one may own it.";
    }

    private static string? PidFileHint(PidFileState? state) => state switch
    {
        PidFileState.Missing => "The pidfile does not exist.",
        PidFileState.NoPid => "The pidfile does not start with a pid.",
        PidFileState.HasPid => "The pidfile names a process that is not running, is excluded by other keys of the filter, or is owned by an earlier filter.",
        _ => null,
    };
}
