using ThreadExporter.Exposition;
using ThreadExporter.HotThreads;
using ThreadExporter.Linux;
using ThreadExporter.Roles;
using ThreadExporter.Settings;

namespace ThreadExporter.Web.Pages;

/// <summary>The response of <c>/api/v1/hot</c>. A test compares docs/api.md with it.</summary>
internal sealed record HotThreadsResponse(
    string Version, bool WarmingUp, double AgeSeconds, decimal WindowSeconds, decimal IntervalSeconds, HotWatched Watched, HotHostResponse? Host, HotThreadResponse[] Threads,
    HotProcessResponse[] Processes)
{
    private const decimal NanosecondsPerSecond = 1_000_000_000m;

    /// <param name="snapshot">What was measured.</param>
    /// <param name="rows">The most threads.</param>
    /// <param name="config">The active configuration.</param>
    /// <param name="isReloadSuccessful">False: it remains active although a reload has failed.</param>
    public static HotThreadsResponse From(HotSnapshot snapshot, int rows, ConfigSnapshot config, bool isReloadSuccessful)
    {
        HotThreadRow[] shown = Choose(snapshot.Hottest, rows);
        RoleCatalog roles = config.Roles;
        HotThreadResponse[] threads = [.. shown.Select(row => Thread(row, snapshot.Window, roles))];
        HotProcessResponse[] processes = [.. shown.GroupBy(row => row.Process).Select(group => Process(group.Key, group.Sum(row => row.Cpu)))];
        HotWatched watched = new(config.Config.Filters.Length, snapshot.Processes, snapshot.Threads, isReloadSuccessful);
        double age = snapshot.TakenAt == 0 ? 0 : Math.Round((Clocks.MonotonicNanoseconds() - snapshot.TakenAt) / 1e9, 3);
        return new HotThreadsResponse(SelfMetrics.Version, snapshot.Window == 0, age, Seconds(snapshot.Window), Seconds(snapshot.Interval), watched, HostOf(snapshot.Host), threads,
            processes);
    }

    // Threads that cannot run use no CPU. A quarter of the rows is for them, where there would be none.
    private static HotThreadRow[] Choose(HotThreadRow[] all, int rows)
    {
        if (all.Length <= rows)
            return all;
        HotThreadRow[] stuck = [.. all[rows..].Where(static r => r.Verdict is Verdict.Throttled or Verdict.Starved or Verdict.Blocked).Take(rows / 4)];
        return [.. all[..(rows - stuck.Length)], .. stuck];
    }

    private static HotHostResponse? HostOf(HotHost? host) => host is null ? null : new HotHostResponse(
        host.Cpus, Seconds(host.Watched), Seconds(host.Unwatched), Seconds(host.ShortLived), Seconds(host.Steal),
        [.. host.Neighbours.Select(n => new HotNeighbourResponse(n.Pid, n.Name, Seconds(n.Cpu)))]);

    private static HotThreadResponse Thread(HotThreadRow row, long window, RoleCatalog roles)
    {
        double cpu = Fraction(row.Cpu, window);
        // The tick counts only give the ratio in which the nanoseconds are divided.
        long ticks = row.User + row.Kernel;
        double? user = ticks == 0 ? null : Round(cpu * row.User / ticks);
        Role? role = roles.Find(row.Process.Name, row.Name, row.Process.IsKernelThread);
        return new HotThreadResponse(
            row.Tid, row.Name, role is null ? null : new HotRoleResponse(role.Name, role.Text, role.Source),
            row.Process.Pid, row.Process.Name, row.Process.Daemon, row.Process.Filter, row.State == 0 ? "" : row.State.ToString(), Word(row.Verdict), row.Reason,
            Seconds(row.Cpu), cpu, user, ticks == 0 ? null : Round(cpu * row.Kernel / ticks), row.Wait is { } wait ? Fraction(wait, window) : null,
            row.Saturated is { } saturated ? Seconds(saturated) : null, row.History);
    }

    private static HotProcessResponse Process(HotProcessRow row, long listed) => new(
        row.Pid, row.Name, row.Daemon, row.Filter, row.Threads, Seconds(row.Cpu), Seconds(listed), Seconds(row.ThreadsCpu - listed),
        row.HasClock ? Seconds(row.Cpu - row.ThreadsCpu) : null, Seconds(row.WaitedChildren),
        [.. row.Exited.Select(e => new HotExitResponse(e.Name, e.Exits, Seconds(e.Cpu)))]);

    private static string Word(Verdict verdict) => verdict switch
    {
        Verdict.Busy => "busy",
        Verdict.Throttled => "throttled",
        Verdict.Starved => "starved",
        Verdict.Blocked => "blocked",
        Verdict.Running => "running",
        _ => "idle",
    };

    // The kernel counts a wait when it ends, so the value may exceed the window; CPU time advances at ticks.
    private static double Fraction(long time, long window) => window == 0 ? 0 : Round(Math.Min(1, (double)time / window));

    private static double Round(double fraction) => Math.Round(fraction, 4);

    private static decimal Seconds(long nanoseconds) => nanoseconds / NanosecondsPerSecond;
}

internal sealed record HotWatched(int Filters, int Processes, int Threads, bool LastReloadSuccessful);

internal sealed record HotHostResponse(
    int Cpus, decimal WatchedSeconds, decimal UnwatchedSeconds, decimal ShortLivedSeconds, decimal StealSeconds, HotNeighbourResponse[] Neighbours);

internal sealed record HotNeighbourResponse(int Pid, string Name, decimal CpuSeconds);

internal sealed record HotThreadResponse(
    int Tid, string Name, HotRoleResponse? Role, int Pid, string Process, string Daemon, string Filter, string State, string Verdict, string Reason, decimal CpuSeconds, double CpuRatio,
    double? UserRatio, double? KernelRatio, double? WaitRatio, decimal? SaturatedSeconds, ushort[] History);

internal sealed record HotRoleResponse(string Name, string Text, string? Source);

internal sealed record HotProcessResponse(
    int Pid, string Name, string Daemon, string Filter, int Threads, decimal CpuSeconds, decimal ListedThreadsSeconds, decimal OtherThreadsSeconds, decimal? UnattributedSeconds,
    decimal WaitedChildrenSeconds, HotExitResponse[] Exited);

internal sealed record HotExitResponse(string Name, long Exits, decimal CpuSeconds);
