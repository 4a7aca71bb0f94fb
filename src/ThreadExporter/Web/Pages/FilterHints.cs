using ThreadExporter.Configuration;
using ThreadExporter.Matching;
using ThreadExporter.Text;

namespace ThreadExporter.Web.Pages;

/// <summary>
/// Why a rule may match less than one thinks: what was found at the last look at /proc, and, when it matches nothing, what its
/// keys are about. Values of the configuration are not told.
/// </summary>
internal static class FilterHints
{
    /// <param name="rule">The rule.</param>
    /// <param name="users">What is known of its users.</param>
    /// <param name="empty">It matches nothing now.</param>
    /// <param name="earlierOwns">A rule before it owns a process.</param>
    public static IEnumerable<string> Of(CompiledFilter rule, UserDirectory users, bool empty, bool earlierOwns)
    {
        FilterConfig config = rule.Config;
        if (rule.ExeDenied > 0)
            yield return $"exe could not be read of {Plural.Count(rule.ExeDenied, "process", "processes")}: that needs the same user or CAP_SYS_PTRACE.";
        if (rule.StateOfPidFile is PidFileState.Denied)
            yield return "The pidfile may not be read by the daemon's user, so the filter matches nothing.";
        if (rule.StateOfPidFile is PidFileState.Unreadable)
            yield return "The pidfile is not a file that can be read, so the filter matches nothing.";
        if (rule.PidFileIsStale)
            yield return "The process whose number the pidfile holds started after the file was written, so it is another process and does not match.";
        UserState[] states = [.. config.User.Select(users.StateOf)];
        if (states.Any(s => s.IsAbsent))
            yield return "A user that it names does not exist on this host.";
        if (states.Any(s => s is { HasNoResponse: true, Uid: null, IsAbsent: false }))
            yield return "The user directory has not answered for a user that it names; until it does, that user matches no process.";
        if (states.Any(s => s is { HasNoResponse: true, Uid: not null }))
            yield return "The user directory does not answer for a user that it names; the uid known before stays in use.";
        if (!empty)
            yield break;
        if (config.MatchNames.Length > 0 || config.Comm.Length > 0)
            yield return "Names are those of /proc/PID/comm: 15 bytes at most, and case matters. `ps -eo pid,comm` lists them.";
        if (config.MatchPids.Length > 0 || config.Pid.Length > 0)
            yield return "A process that starts again has another pid: a name or a unit finds it again.";
        if (!rule.PidFileIsStale && PidFileHint(rule.StateOfPidFile) is { } pidFile)
            yield return pidFile;
        if (states.Any(s => s.Uid is not null))
            yield return "user is the effective user of the process.";
        if (config.Unit.Length > 0 || config.Cgroup.Length > 0)
            yield return "Units and cgroups are those of /proc/PID/cgroup: `systemctl status PID` shows the unit of a process.";
        if (config.Exe.Length > 0)
            yield return "exe is the whole path, links resolved: `readlink /proc/PID/exe`.";
        if (config.Cmdline is not null)
            yield return "cmdline is looked for in the arguments with blanks between them: `tr '\\0' ' ' < /proc/PID/cmdline`.";
        if (earlierOwns)
            yield return "The first filter that matches a process owns it: an earlier one may have it.";
    }

    private static string? PidFileHint(PidFileState? state) => state switch
    {
        PidFileState.Missing => "The pidfile is not there.",
        PidFileState.NoPid => "The pidfile does not begin with a pid.",
        PidFileState.HasPid => "The pidfile names a process that is not running, that other keys of the filter exclude, or that an earlier filter owns.",
        _ => null,
    };
}
