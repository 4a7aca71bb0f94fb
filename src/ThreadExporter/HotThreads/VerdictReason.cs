using System.Globalization;

namespace ThreadExporter.HotThreads;

/// <summary>The sentence beside a verdict: what a person would look for next.</summary>
internal static class VerdictReason
{
    private const int MaxNamed = 3;

    // A tenth of the time of one CPU.
    private const int LeastShare = 10;

    /// <summary>Why a thread waited for a CPU although its cgroup was not throttled.</summary>
    /// <param name="pid">Its process.</param>
    /// <param name="processCpu">CPU time of its process in the window, in nanoseconds.</param>
    /// <param name="window">Nanoseconds.</param>
    /// <param name="allowed">The CPUs that it may run on, as the kernel lists them; null: not known.</param>
    /// <param name="allowedCount">How many these are.</param>
    /// <param name="host">Who had the CPUs of the host; null: not known.</param>
    public static string Starved(int pid, long processCpu, long window, string? allowed, int allowedCount, HotHost? host)
    {
        if (allowed is not null && host is not null && allowedCount < host.Cpus)
            return allowedCount == 1 ? $"pinned to CPU {allowed}" : $"may run on the CPUs {allowed} only";
        if (host is not null && host.Steal * LeastShare >= window * host.Cpus)
            return string.Create(CultureInfo.InvariantCulture, $"the hypervisor gives the CPUs to others (steal {Percent(host.Steal, window * host.Cpus)})");
        if (host is not null && processCpu * 2 >= window * host.Cpus)
            return string.Create(CultureInfo.InvariantCulture, $"the process's own threads use the CPUs ({Cores(processCpu, window)} of {host.Cpus} cores)");
        string[] others = [.. (host?.Largest ?? []).Where(p => p.Pid != pid && p.Cpu * LeastShare >= window).Take(MaxNamed).Select(p => $"{p.Name} {Percent(p.Cpu, window)}")];
        if (others.Length > 0)
            return $"others use the CPUs ({string.Join(", ", others)})";
        return host is not null && host.ShortLived * LeastShare >= window
            ? $"short-lived processes and interrupts use the CPUs ({Percent(host.ShortLived, window)})"
            : "others use the CPUs";
    }

    /// <summary>Which limit throttled it.</summary>
    /// <param name="limit">The limit in cores; null: not known.</param>
    /// <param name="share">The share of periods in which it was throttled, 0 to 1.</param>
    /// <param name="above">The cgroup above its own that has the limit; null: its own.</param>
    public static string Throttled(double? limit, double share, string? above)
    {
        string cores = limit is { } value ? string.Create(CultureInfo.InvariantCulture, $"{value:0.0##} cores") : "not known";
        string whose = above is null ? "its limit is" : $"the limit of {above} is";
        return string.Create(CultureInfo.InvariantCulture, $"{whose} {cores}, throttled in {share * 100:0} % of periods");
    }

    /// <summary>That it was in uninterruptible sleep.</summary>
    public static string Blocked(StateLooks looks) =>
        string.Create(CultureInfo.InvariantCulture, $"in uninterruptible sleep (D) at {looks.Blocked} of {looks.Count} looks: it waits for a disk, a network file system or a driver");

    /// <summary>That it used a core.</summary>
    public static string Busy(long cpu, long window) => $"it used {Percent(cpu, window)} of a core: one thread cannot use more than one";

    private static string Percent(long cpu, long window) => string.Create(CultureInfo.InvariantCulture, $"{(window <= 0 ? 0 : 100.0 * cpu / window):0} %");

    private static string Cores(long cpu, long window) => string.Create(CultureInfo.InvariantCulture, $"{(window <= 0 ? 0 : (double)cpu / window):0.0}");
}
