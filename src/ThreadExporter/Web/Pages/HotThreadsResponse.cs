using ThreadExporter.Exposition;
using ThreadExporter.HotThreads;
using ThreadExporter.Linux;
using ThreadExporter.Settings;

namespace ThreadExporter.Web.Pages;

/// <summary>The response of <c>/api/v1/hot</c>. A test compares docs/api.md with it.</summary>
internal sealed record HotThreadsResponse(
    string Version, bool WarmingUp, double AgeSeconds, decimal WindowSeconds, decimal IntervalSeconds, HotWatched Watched, HotThreadResponse[] Threads, HotProcessResponse[] Processes)
{
    private const decimal NanosecondsPerSecond = 1_000_000_000m;

    public static HotThreadsResponse From(HotSnapshot snapshot, int rows, ConfigHolder holder)
    {
        HotThreadRow[] shown = snapshot.Hottest[..Math.Min(rows, snapshot.Hottest.Length)];
        HotThreadResponse[] threads = [.. shown.Select(row => Thread(row, snapshot.Window))];
        HotProcessResponse[] processes = [.. shown.GroupBy(row => row.Process).Select(group => Process(group.Key, group.Sum(row => row.Cpu)))];
        HotWatched watched = new(holder.Current.Config.Filters.Length, snapshot.Processes, snapshot.Threads, holder.Last.Succeeded);
        double age = snapshot.TakenAt == 0 ? 0 : Math.Round((Clocks.MonotonicNanoseconds() - snapshot.TakenAt) / 1e9, 3);
        return new HotThreadsResponse(SelfMetrics.Version, snapshot.Window == 0, age, Seconds(snapshot.Window), Seconds(snapshot.Interval), watched, threads, processes);
    }

    private static HotThreadResponse Thread(HotThreadRow row, long window)
    {
        double cpu = Fraction(row.Cpu, window);
        // The tick counts only give the ratio in which the nanoseconds are divided.
        long ticks = row.User + row.Kernel;
        double? user = ticks == 0 ? null : Round(cpu * row.User / ticks);
        return new HotThreadResponse(
            row.Tid, row.Name, row.Process.Pid, row.Process.Name, row.Process.Daemon, row.Process.Filter, row.State == 0 ? "" : row.State.ToString(),
            Seconds(row.Cpu), cpu, user, ticks == 0 ? null : Round(cpu * row.Kernel / ticks), row.Wait is { } wait ? Fraction(wait, window) : null,
            row.Saturated is { } saturated ? Seconds(saturated) : null, row.History);
    }

    private static HotProcessResponse Process(HotProcessRow row, long listed) => new(
        row.Pid, row.Name, row.Daemon, row.Filter, row.Threads, Seconds(row.Cpu), Seconds(listed), Seconds(row.ThreadsCpu - listed),
        row.HasClock ? Seconds(row.Cpu - row.ThreadsCpu) : null);

    // The kernel counts a wait when it ends, so the value may exceed the window; CPU time advances at ticks.
    private static double Fraction(long time, long window) => window == 0 ? 0 : Round(Math.Min(1, (double)time / window));

    private static double Round(double fraction) => Math.Round(fraction, 4);

    private static decimal Seconds(long nanoseconds) => nanoseconds / NanosecondsPerSecond;
}

internal sealed record HotWatched(int Filters, int Processes, int Threads, bool LastReloadSuccessful);

internal sealed record HotThreadResponse(
    int Tid, string Name, int Pid, string Process, string Daemon, string Filter, string State, decimal CpuSeconds, double CpuRatio,
    double? UserRatio, double? KernelRatio, double? WaitRatio, decimal? SaturatedSeconds, ushort[] History);

internal sealed record HotProcessResponse(
    int Pid, string Name, string Daemon, string Filter, int Threads, decimal CpuSeconds, decimal ListedThreadsSeconds, decimal OtherThreadsSeconds, decimal? UnattributedSeconds);
