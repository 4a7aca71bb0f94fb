using ThreadExporter.Web.Pages;

namespace ThreadExporter.Tests.Support;

/// <summary>Responses of <c>/api/v1/hot</c> for tests that show them.</summary>
internal static class HotSample
{
    /// <summary>A response with these threads, the busiest first, and their processes.</summary>
    public static HotThreadsResponse Of(params HotThreadResponse[] threads) => new(
        "0.2.0", WarmingUp: false, AgeSeconds: 0.2, WindowSeconds: 5, IntervalSeconds: 1, new HotWatched(1, 2, 1012, LastReloadSuccessful: true),
        new HotHostResponse(8, 10.6m, 2, 0.15m, 0, [new HotNeighbourResponse(977, "clamd", 1.9m)]), threads,
        [.. threads.Select(t => t.Pid).Distinct().Select(pid => Process(threads.First(t => t.Pid == pid)))]);

    /// <summary>A response with threads of every kind.</summary>
    public static HotThreadsResponse Mixed { get; } = Of(
        Thread(4742, "tp_osd_tp", 0.973, "busy") with
        {
            UserRatio = 0.8,
            KernelRatio = 0.173,
            WaitRatio = 0.012,
            State = "R",
            SaturatedSeconds = 43.2m,
            History = [0, 100, 300, 500, 700, 900, 1000],
            Reason = "it used 97 % of a core: one thread cannot use more than one",
            Role = new HotRoleResponse("operations of clients", "Executes the reads and writes of clients. A full core means that this OSD cannot take more of them.", "https://docs.example/osd"),
        },
        Thread(5011, "connection", 0.42, "throttled") with
        {
            Pid = 5001,
            Process = "mariadbd",
            Daemon = "mariadbd",
            Filter = "db",
            WaitRatio = 0.5,
            Reason = "its limit is 0.5 cores, throttled in 71 % of periods",
        },
        Thread(4744, "bstore_kv_sync", 0.05, "starved") with { WaitRatio = 0.4, Reason = "others use the CPUs (clamd 38 %)" },
        Thread(4745, "msgr-worker-0", 0.004, "running") with { WaitRatio = null, UserRatio = null, KernelRatio = null },
        Thread(4746, "jfs_commit", 0, "blocked") with { State = "D", Reason = "in uninterruptible sleep (D) at 5 of 5 looks: it waits for a disk, a network file system or a driver" });

    public static HotThreadResponse Thread(int tid, string name, double cpu, string verdict = "running") => new(
        tid, name, null, 4711, "ceph-osd", "osd.3", "ceph", "S", verdict, "", (decimal)cpu * 5, cpu, cpu, 0, 0, null, [(ushort)(cpu * 1000)]);

    private static HotProcessResponse Process(HotThreadResponse thread) => new(
        thread.Pid, thread.Process, thread.Daemon, thread.Filter, 62, 8, 5, 0.5m, 2.5m, 0, [new HotExitResponse("crash_#", 12, 1.2m)]);
}
