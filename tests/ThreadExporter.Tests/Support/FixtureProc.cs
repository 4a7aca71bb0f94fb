using System.Globalization;
using System.Text;

namespace ThreadExporter.Tests.Support;

/// <summary>A /proc of plain files in a temporary directory, for kernels and faults that this machine does not have.</summary>
internal sealed class FixtureProc : IDisposable
{
    /// <summary>PF_RANDOMIZE of a program; PF_KTHREAD and more of a kernel worker.</summary>
    private const uint UserFlags = 0x00400000, KernelFlags = 0x04208060;

    public string Root { get; } = Directory.CreateTempSubdirectory("te-proc-").FullName;

    public FixtureProc()
    {
        Directory.CreateDirectory(Path.Combine(Root, "self"));
        Write("self/schedstat", "1000 20 3\n"u8);
    }

    /// <summary>Writes a process with its leading thread.</summary>
    public void Process(int pid, string comm, int ppid = 1, int threads = 1, ulong start = 100, string? cmdline = null, string? cgroup = null,
        char state = 'S', bool kernelThread = false)
    {
        Directory.CreateDirectory(Path.Combine(Root, $"{pid}/task"));
        Write($"{pid}/stat", Stat(pid, Encoding.UTF8.GetBytes(comm), ppid, 0, 0, threads, start, state, flags: kernelThread ? KernelFlags : UserFlags));
        Write($"{pid}/comm", Encoding.UTF8.GetBytes(comm + "\n"));
        Write($"{pid}/cmdline", Encoding.UTF8.GetBytes((cmdline ?? comm).Replace(' ', '\0') + "\0"));
        Write($"{pid}/cgroup", Encoding.UTF8.GetBytes(cgroup ?? "0::/\n"));
        Write($"{pid}/status", Encoding.UTF8.GetBytes($"Name:\t{comm}\nPid:\t{pid}\nUid:\t0\t0\t0\t0\nNSpid:\t{pid}\n"));
    }

    /// <summary>Before the collector opens it: its pids are the test's own, so that the process clock of a real process is read.</summary>
    public void SharePidNamespace() =>
        Write("self/status", Encoding.ASCII.GetBytes($"Name:\tx\nUid:\t0\t0\t0\t0\nNSpid:\t{Environment.ProcessId}\n"));

    public void Thread(int pid, int tid, ReadOnlySpan<byte> comm, long cpu = 0, long wait = 0, long slices = 0, ulong user = 0, ulong kernel = 0, char state = 'S', ulong start = 100)
    {
        Directory.CreateDirectory(Path.Combine(Root, $"{pid}/task/{tid}"));
        Write($"{pid}/task/{tid}/stat", Stat(tid, comm, pid, user, kernel, 1, start, state));
        SchedStat(pid, tid, cpu, wait, slices);
    }

    /// <summary>Takes the thread away. Only a read by path notices: a plain file that is open can still be read.</summary>
    public void EndThread(int pid, int tid) => Directory.Delete(Path.Combine(Root, $"{pid}/task/{tid}"), recursive: true);

    public void SchedStat(int pid, int tid, long cpu, long wait, long slices) =>
        Write($"{pid}/task/{tid}/schedstat", Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{cpu} {wait} {slices}\n")));

    public void ThreadStat(int pid, int tid, ReadOnlySpan<byte> comm, ulong user, ulong kernel, char state = 'S', ulong start = 100, long minorFaults = 10, long majorFaults = 0, int cpu = 1) =>
        Write($"{pid}/task/{tid}/stat", Stat(tid, comm, pid, user, kernel, 1, start, state, minorFaults, majorFaults, cpu));

    /// <summary>A thread's <c>status</c>, cut down to what is read of it.</summary>
    public void ThreadStatus(int pid, int tid, long voluntary, long involuntary, int groups = 0) =>
        Write($"{pid}/task/{tid}/status", Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $"Name:\tx\nUid:\t0\t0\t0\t0\nGroups:\t{string.Join(' ', Enumerable.Range(1_000_000_000, groups))} \nvoluntary_ctxt_switches:\t{voluntary}\nnonvoluntary_ctxt_switches:\t{involuntary}\n")));

    public void ThreadIo(int pid, int tid, long read, long written) =>
        Write($"{pid}/task/{tid}/io", Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $"rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: {read}\nwrite_bytes: {written}\ncancelled_write_bytes: 5\n")));

    public void ProcessStat(int pid, string comm, int threads, ulong user = 0, ulong kernel = 0, ulong start = 100, int ppid = 1, long waitedUser = 0,
        long waitedKernel = 0, char state = 'S') =>
        Write($"{pid}/stat", Stat(pid, Encoding.UTF8.GetBytes(comm), ppid, user, kernel, threads, start, state, waitedUser: waitedUser, waitedKernel: waitedKernel));

    /// <summary>In place, so that a kept descriptor sees the new content as it does in the real /proc.</summary>
    public void Write(string path, ReadOnlySpan<byte> content)
    {
        using FileStream file = new(Path.Combine(Root, path), FileMode.OpenOrCreate, FileAccess.Write);
        file.SetLength(0);
        file.Write(content);
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private static byte[] Stat(int id, ReadOnlySpan<byte> comm, int ppid, ulong user, ulong kernel, int threads, ulong start, char state = 'S',
        long minorFaults = 10, long majorFaults = 0, int cpu = 1, uint flags = UserFlags, long waitedUser = 0, long waitedKernel = 0) =>
    [
        .. Encoding.ASCII.GetBytes($"{id} ("),
        .. comm,
        .. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $") {state} {ppid} 1 1 0 -1 {flags} {minorFaults} 0 {majorFaults} 0 {user} {kernel} {waitedUser} {waitedKernel} 20 0 {threads} 0 {start} 1000000 100 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 {cpu} 0 0 0 0 0 0 0 0 0 0 0 0 0\n")),
    ];
}
