using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace ThreadExporter.Netlink;

/// <summary>
/// What the kernel says of a thread when it exits: struct taskstats, include/uapi/linux/taskstats.h. Ids are those of the initial namespaces.
/// </summary>
public readonly struct ExitRecord
{
    /// <summary>TASK_COMM_LEN, include/linux/sched.h: with the terminating NUL.</summary>
    private const int CommLength = 16;

    private readonly CommBytes _comm;

    /// <summary>The thread: TASKSTATS_TYPE_PID, the same as ac_pid. After an exec by another thread, that one has the pid as its tid.</summary>
    public int Tid { get; init; }
    /// <summary>The process: ac_tgid, or what the process connector says; 0 when unknown.</summary>
    public int Tgid { get; init; }
    /// <summary>The parent process when the thread exits: ac_ppid.</summary>
    public int Ppid { get; init; }
    /// <summary>The real user id: ac_uid.</summary>
    public uint Uid { get; init; }
    /// <summary>
    /// The last thread of the process: AGROUP of ac_flag. Before version 12, which has no such flag, it is a guess: also the main thread, which
    /// may exit before others.
    /// </summary>
    public bool IsLastThread { get; init; }

    /// <summary>Run time: cpu_run_virtual_total, the first number of <c>schedstat</c>. A lower bound: up to a tick is missing.</summary>
    public long CpuNanoseconds { get; init; }
    /// <summary>Time waiting for a CPU: cpu_delay_total, the second number of <c>schedstat</c>.</summary>
    public long WaitNanoseconds { get; init; }
    /// <summary>How often it got a CPU: cpu_count, the third number of <c>schedstat</c>.</summary>
    public long Timeslices { get; init; }
    /// <summary>ac_utime, which has a resolution of microseconds or of ticks.</summary>
    public long UserNanoseconds { get; init; }
    /// <summary>ac_stime, as <see cref="UserNanoseconds"/>.</summary>
    public long KernelNanoseconds { get; init; }
    /// <summary>nvcsw.</summary>
    public long VoluntarySwitches { get; init; }
    /// <summary>nivcsw.</summary>
    public long InvoluntarySwitches { get; init; }
    /// <summary>ac_minflt.</summary>
    public long MinorFaults { get; init; }
    /// <summary>ac_majflt.</summary>
    public long MajorFaults { get; init; }
    /// <summary>Bytes read from storage: read_bytes; 0 without CONFIG_TASK_IO_ACCOUNTING.</summary>
    public long ReadBytes { get; init; }
    /// <summary>Bytes written to storage: write_bytes; 0 without CONFIG_TASK_IO_ACCOUNTING.</summary>
    public long WriteBytes { get; init; }
    /// <summary>When it started, in seconds since 1970: ac_btime64, before version 10 ac_btime.</summary>
    public long StartSeconds { get; init; }
    /// <summary>How long it lived: ac_etime, which has a resolution of microseconds.</summary>
    public long ElapsedNanoseconds { get; init; }

    /// <summary>The name as raw bytes without the NUL: ac_comm. At most 15; what is longer is cut. It points into this struct.</summary>
    public ReadOnlySpan<byte> Comm
    {
        [UnscopedRef]
        get
        {
            ReadOnlySpan<byte> bytes = _comm;
            return bytes[..bytes.IndexOf((byte)0)];
        }
        init
        {
            Span<byte> bytes = _comm;
            bytes.Clear();
            int end = value.IndexOf((byte)0);
            value[..Math.Min(end < 0 ? value.Length : end, CommLength - 1)].CopyTo(bytes);
        }
    }

    [InlineArray(CommLength)]
    private struct CommBytes
    {
        private byte _first;
    }
}
