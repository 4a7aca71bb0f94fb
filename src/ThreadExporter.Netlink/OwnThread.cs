using ThreadExporter.Linux;

namespace ThreadExporter.Netlink;

/// <summary>A thread of this process that used a known CPU time and has exited: its exit record is known before it comes.</summary>
public sealed class OwnThread
{
    private const string Name = "exit-check";
    private const long CpuTime = 20_000_000;

    private OwnThread(int tid, long cpuNanoseconds, long elapsedNanoseconds)
    {
        Tid = tid;
        CpuNanoseconds = cpuNanoseconds;
        ElapsedNanoseconds = elapsedNanoseconds;
    }

    /// <summary>Its name, as the kernel has it.</summary>
    public static ReadOnlySpan<byte> Comm => "exit-check"u8;

    public int Tid { get; }
    public int Pid { get; } = Environment.ProcessId;
    /// <summary>At least 20 ms.</summary>
    public long CpuNanoseconds { get; }
    /// <summary>From before it started until it had ended: it cannot have used more CPU time than that.</summary>
    public long ElapsedNanoseconds { get; }

    /// <summary>Starts such a thread and waits for its end.</summary>
    public static OwnThread Run()
    {
        int tid = 0;
        long cpu = 0, start = Clocks.MonotonicNanoseconds();
        Thread thread = new(() =>
        {
            tid = ThisProcess.ThreadId();
            while ((cpu = Clocks.ThreadCpuNanoseconds()) < CpuTime)
            {
                // Uses CPU time.
            }
        })
        { Name = Name, IsBackground = true };
        thread.Start();
        thread.Join();
        return new OwnThread(tid, cpu, Clocks.MonotonicNanoseconds() - start);
    }
}
