using ThreadExporter.Procfs;

namespace ThreadExporter.Matching;

/// <summary>Label <c>daemon</c>: distinguishes several processes of the same program.</summary>
internal static class DaemonName
{
    /// <summary>
    /// The first group of the filter's <c>daemon</c> regex on the command line. Where it does not match or is empty, the name of a Ceph
    /// daemon, else comm, for a kernel worker without its current work item.
    /// </summary>
    /// <param name="filter">The filter that owns the process.</param>
    /// <param name="process">The process.</param>
    /// <returns><c>Incomplete</c>: the command line is not known yet, so the name is only comm. Resolve it again soon.</returns>
    public static (string Name, bool Incomplete) Resolve(CompiledFilter filter, ProcessInfo process)
    {
        string comm = process.KernelThread ? ProcText.Decode(TaskName.Stable(process.Comm, kernelThread: true)) : process.CommText;
        if (filter.Config.Daemon is { } regex)
        {
            if (!process.TryGetCommandLine(out CommandText? commandLine))
                return (comm, true);
            if (commandLine.Match(regex).Groups[1] is { Success: true, Length: > 0 } group)
                return (group.Value, false);
        }
        if (process.KernelThread || CephDaemon.EntityType(comm) is not { } type)
            return (comm, false);
        return process.TryGetArguments(out IReadOnlyList<string> arguments)
            ? (CephDaemon.Name(type, arguments) ?? comm, false)
            : (comm, true);
    }
}
