using System.Runtime.InteropServices;
using ThreadExporter.Linux;

namespace ThreadExporter.Procfs;

/// <summary>The directory used as /proc: the real one, that of the host in a container, or a tree of plain files in a test.</summary>
public sealed class ProcfsRoot : IDisposable
{
    private const string HostProc = "/host/proc";

    private int _loadavg = -1;

    private ProcfsRoot(string path, int fd)
    {
        Path = path;
        Fd = fd;
    }

    public string Path { get; }

    /// <summary>The open directory; -1 after <see cref="Dispose"/>.</summary>
    public int Fd { get; private set; }

    /// <summary>
    /// Whether its pids are those of this process's pid namespace: <c>self/status</c> has exactly one NSpid, equal to getpid(). If not,
    /// <see cref="Clocks.TryGetProcessCpu"/> would return the time of another process. False for a tree of plain files, which has no such line.
    /// </summary>
    public bool SharesPidNamespace { get; private init; }

    /// <summary>
    /// Whether <c>schedstat</c> has real values. A kernel without sched info writes <c>0 0 0</c> for every thread, or has no such file.
    /// <c>self</c> decides if it exists, because this process has run. Without it (plain files, another pid namespace) one process with a number
    /// above 0 is enough. False when in doubt: then <c>stat</c> is read, which is slower but correct.
    /// </summary>
    public bool HasSchedInfo { get; private init; }

    /// <summary>
    /// The path for setting <c>collector.procfs</c>: <c>auto</c> is <c>/host/proc</c> when a procfs is mounted there, else <c>/proc</c>; any other
    /// value is the path.
    /// </summary>
    /// <param name="setting">The setting.</param>
    /// <param name="hostProc">Where a container mounts the procfs of the host.</param>
    public static string Detect(string setting, string hostProc = HostProc)
    {
        if (setting != "auto")
            return setting;
        // `self` does not exist when this process is not in the pid namespace of the procfs, `1` when hidepid hides it.
        return File.Exists(hostProc + "/self/stat") || File.Exists(hostProc + "/1/stat") ? hostProc : "/proc";
    }

    /// <summary>Opens it and determines the two properties above once.</summary>
    /// <exception cref="IOException">
    /// It cannot be opened, or has no process whose <c>stat</c> can be opened. The message is one line, ready to print.
    /// </exception>
    public static ProcfsRoot Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (RawFile.OpenRoot(path, out int fd) != ReadStatus.Ok)
            throw new IOException($"cannot open '{path}' as /proc: {Marshal.GetLastPInvokeErrorMessage()}");

        List<int> pids = new();
        RawFile.ListIds(fd, "."u8, pids);
        if (!HasProcess(fd, pids))
        {
            RawFile.Close(fd);
            throw new IOException($"'{path}' is not a procfs: it has no readable process");
        }
        ProcfsRoot root = new(path, fd)
        {
            SharesPidNamespace = FindPidNamespace(fd),
            HasSchedInfo = FindSchedInfo(fd, pids),
        };
        if (root.SharesPidNamespace)
            root.OpenLoadavg();
        return root;
    }

    /// <summary>Lists all pids; <paramref name="pids"/> is cleared first.</summary>
    public ReadStatus ReadPids(List<int> pids) => RawFile.ListIds(Fd, "."u8, pids);

    /// <summary>What shows whether processes have started or ended; see <see cref="ProcLoadavg"/>.</summary>
    /// <returns>False when it cannot be told: in another pid namespace, or where the file is not the kernel's.</returns>
    public bool TryReadLoadavg(out ProcLoadavg loadavg)
    {
        Span<byte> buffer = stackalloc byte[128];
        loadavg = default;
        return _loadavg >= 0 && RawFile.ReadAt(_loadavg, buffer, out int length) == ReadStatus.Ok && ProcLoadavg.TryParse(buffer[..length], out loadavg);
    }

    // LXCFS mounts a file of its own over this one, whose numbers are late.
    private void OpenLoadavg()
    {
        if (RawFile.Open(Fd, "loadavg"u8, out _loadavg) == ReadStatus.Ok && FileIdentity.Read(_loadavg).Device == FileIdentity.Read(Fd).Device)
            return;
        RawFile.Close(_loadavg);
        _loadavg = -1;
    }

    public void Dispose()
    {
        RawFile.Close(_loadavg);
        _loadavg = -1;
        RawFile.Close(Fd);
        Fd = -1;
    }

    private static bool HasProcess(int fd, List<int> pids)
    {
        Span<byte> path = stackalloc byte[ProcPath.BufferSize];
        foreach (int pid in pids)
        {
            ReadStatus status = RawFile.Open(fd, ProcPath.Format(path, [], pid, "/stat"u8), out int stat);
            RawFile.Close(stat);
            if (status == ReadStatus.Ok)
                return true;
        }
        return false;
    }

    private static bool FindPidNamespace(int fd)
    {
        // Large, because NSpid comes after Groups.
        byte[] buffer = new byte[64 * 1024];
        return RawFile.ReadOnce(fd, "self/status"u8, buffer, out int length) == ReadStatus.Ok
            && ProcStatus.TryParse(buffer.AsSpan(0, length), out ProcStatus status)
            && status.NspidCount == 1
            && status.Nspid == Environment.ProcessId;
    }

    private static bool FindSchedInfo(int fd, List<int> pids)
    {
        if (TryReadSchedStat(fd, "self/schedstat"u8, out ProcSchedstat self))
            return self != default;
        Span<byte> path = stackalloc byte[ProcPath.BufferSize];
        foreach (int pid in pids)
        {
            if (TryReadSchedStat(fd, ProcPath.Format(path, [], pid, "/schedstat"u8), out ProcSchedstat other) && other != default)
                return true;
        }
        return false;
    }

    private static bool TryReadSchedStat(int fd, ReadOnlySpan<byte> path, out ProcSchedstat schedStat)
    {
        Span<byte> buffer = stackalloc byte[128];
        schedStat = default;
        return RawFile.ReadOnce(fd, path, buffer, out int length) == ReadStatus.Ok && ProcSchedstat.TryParse(buffer[..length], out schedStat);
    }
}
