using ThreadExporter.Linux;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Series;

/// <summary>
/// Processes of a fixture that start, use CPU time, exit, become zombies and are waited for, with the kernel's accounting: what a process
/// waits for moves into its own waited-for time. All times are in clock ticks.
/// </summary>
internal sealed class SimulatedProcesses(FixtureProc proc)
{
    private int _nextPid = 100;

    public List<Simulated> Live { get; } = [];

    /// <summary>Ticks that all processes together have used.</summary>
    public long Used { get; private set; }

    public Simulated Start(string comm, Simulated? parent, bool ignoresChildren = false)
    {
        Simulated process = new(_nextPid, parent?.Pid ?? 1, comm, Clocks.TicksSinceBoot()) { IgnoresChildren = ignoresChildren };
        _nextPid += 10;
        Live.Add(process);
        proc.Process(process.Pid, comm, process.Ppid, start: process.Start);
        proc.Thread(process.Pid, process.Pid, "worker"u8, start: process.Start);
        Write(process);
        return process;
    }

    public void Use(Simulated process, int user, int kernel)
    {
        (process.User, process.Kernel) = (process.User + user, process.Kernel + kernel);
        Used += user + kernel;
        Write(process);
    }

    public void Rename(Simulated process, string comm)
    {
        process.Comm = comm;
        Write(process);
    }

    /// <summary>Ends a process: a zombie until its parent waits for it, unless that ignores its children. Its own children go to pid 1.</summary>
    public void Exit(Simulated process)
    {
        process.IsZombie = true;
        foreach (Simulated child in Live.Where(p => p.Ppid == process.Pid).ToArray())
        {
            child.Ppid = 1;
            if (child.IsZombie)
                Remove(child);
            else
                Write(child);
        }
        if (Parent(process) is { IgnoresChildren: false })
            Write(process);
        else
            Remove(process);
    }

    public void WaitFor(Simulated child)
    {
        if (Parent(child) is not { } parent || !child.IsZombie)
            return;
        parent.WaitedUser += child.User + child.WaitedUser;
        parent.WaitedKernel += child.Kernel + child.WaitedKernel;
        Remove(child);
        Write(parent);
    }

    /// <summary>As <see cref="WaitFor"/>, but the next collection does not see it in the parent.</summary>
    public void WaitForUnseen(Simulated child)
    {
        Simulated parent = Parent(child)!;
        parent.WaitedUser += child.User + child.WaitedUser;
        parent.WaitedKernel += child.Kernel + child.WaitedKernel;
        Remove(child);
    }

    public Simulated? Parent(Simulated process) => Live.SingleOrDefault(p => p.Pid == process.Ppid);

    private void Remove(Simulated process)
    {
        Live.Remove(process);
        Directory.Delete(Path.Combine(proc.Root, $"{process.Pid}"), recursive: true);
    }

    private void Write(Simulated process)
    {
        proc.ProcessStat(process.Pid, process.Comm, 1, (ulong)process.User, (ulong)process.Kernel, process.Start, process.Ppid,
            process.WaitedUser, process.WaitedKernel, process.IsZombie ? 'Z' : 'S');
        proc.ThreadStat(process.Pid, process.Pid, "worker"u8, (ulong)process.User, (ulong)process.Kernel, start: process.Start);
        proc.SchedStat(process.Pid, process.Pid, (process.User + process.Kernel) * Clocks.NanosecondsPerTick, 0, 1);
    }

    internal sealed class Simulated(int pid, int ppid, string comm, ulong start)
    {
        public int Pid { get; } = pid;
        public ulong Start { get; } = start;
        public int Ppid { get; set; } = ppid;
        public string Comm { get; set; } = comm;
        public bool IgnoresChildren { get; init; }
        public bool IsZombie { get; set; }
        public long User { get; set; }
        public long Kernel { get; set; }
        public long WaitedUser { get; set; }
        public long WaitedKernel { get; set; }
    }
}
