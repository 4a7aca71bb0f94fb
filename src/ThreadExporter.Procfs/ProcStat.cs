using ThreadExporter.Linux;

namespace ThreadExporter.Procfs;

/// <summary>
/// <c>/proc/PID/stat</c> and <c>/proc/PID/task/TID/stat</c>: proc_pid_stat(5). Times are clock ticks
/// (<see cref="Clocks.TicksPerSecond"/>); in the first file they are sums over all threads.
/// </summary>
public readonly ref struct ProcStat
{
    private const int StateField = 3, LastField = 39;
    private const uint KernelThreadFlag = 0x00200000; // PF_KTHREAD, include/linux/sched.h

    /// <summary>The longest name the kernel writes, a kernel thread's: the buffer of proc_task_name, fs/proc/array.c.</summary>
    private const int LongestComm = 64;

    /// <summary>Field 1: the pid, or the tid in a thread's file.</summary>
    public int Pid { get; private init; }
    /// <summary>Field 2: the name as raw bytes, which may contain anything but NUL: spaces, parentheses, newlines, invalid UTF-8.</summary>
    public ReadOnlySpan<byte> Comm { get; private init; }
    /// <summary>Field 3: <c>R</c>, <c>S</c>, <c>D</c>, <c>Z</c>, …</summary>
    public byte State { get; private init; }
    /// <summary>Field 4.</summary>
    public int Ppid { get; private init; }
    /// <summary>Field 9: the kernel's flags of the task, PF_… in include/linux/sched.h.</summary>
    public uint Flags { get; private init; }
    /// <summary>Field 10.</summary>
    public ulong MinorFaults { get; private init; }
    /// <summary>Field 12.</summary>
    public ulong MajorFaults { get; private init; }
    /// <summary>Field 14, in ticks, not checked for its range.</summary>
    public ulong UserTicks { get; private init; }
    /// <summary>Field 15, in ticks, not checked for its range.</summary>
    public ulong KernelTicks { get; private init; }
    /// <summary>Field 14 in nanoseconds; -1 when the number is out of range (<see cref="Clocks.FromTicks"/>).</summary>
    public long UserNanoseconds => Clocks.FromTicks(UserTicks);
    /// <summary>Field 15 in nanoseconds; -1 when the number is out of range.</summary>
    public long KernelNanoseconds => Clocks.FromTicks(KernelTicks);
    /// <summary>
    /// Fields 16 and 17 in nanoseconds: user and kernel time of the children that the process has waited for, and of theirs; -1 when the number
    /// is out of range.
    /// </summary>
    public (long User, long Kernel) WaitedNanoseconds { get; private init; }
    /// <summary>Field 20: threads of the process, a zombie leader included.</summary>
    public int NumThreads { get; private init; }
    /// <summary>Field 22, in ticks since boot (CLOCK_BOOTTIME).</summary>
    public ulong StartTicks { get; private init; }
    /// <summary>Field 39: the CPU it last ran on.</summary>
    public int Processor { get; private init; }

    /// <summary>
    /// A kernel thread. The parent is not a reliable sign: in a separate pid namespace pid 2 is an ordinary process, and the kernel's helper programs
    /// (call_usermodehelper) are children of kthreadd until they exit.
    /// </summary>
    public bool IsKernelThread => (Flags & KernelThreadFlag) != 0;

    /// <summary>An exited thread, or a process whose main thread has exited: its state is zombie or dead.</summary>
    public bool HasEnded => State is (byte)'Z' or (byte)'X' or (byte)'x';

    /// <summary>
    /// In a process's file: the main thread has exited and others are running (pthread_exit(3) in main). Read properties of the process from
    /// one of them (<c>LiveThread</c>).
    /// </summary>
    public bool LeaderHasEnded => NumThreads > 1 && HasEnded;

    /// <summary>
    /// Strict up to field 39, the last one used: false for a missing field, an invalid character, a number out of range, or a start time of
    /// more than <see cref="Clocks.LongestTicks"/>. Later fields are ignored. <see cref="Comm"/> points into <paramref name="text"/>.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out ProcStat stat)
    {
        stat = default;
        // A name may contain any number of parentheses; the fields after it are numbers. So the name is from the first '(' to the last ')'.
        int close = text.LastIndexOf((byte)')');
        ReadOnlySpan<byte> rest = text;
        if (close < 0
            || !Digits.TryReadInt(ref rest, out int pid)
            || !Digits.TryTake(ref rest, (byte)' ')
            || !Digits.TryTake(ref rest, (byte)'('))
            return false;
        int open = text.Length - rest.Length;
        if (open > close || close - open > LongestComm)
            return false;
        ReadOnlySpan<byte> comm = text[open..close];
        rest = text[(close + 1)..];
        if (rest.Length < 2 || rest[0] != ' ' || !char.IsAsciiLetter((char)rest[1]))
            return false;
        byte state = rest[1];
        rest = rest[2..];

        int field = StateField;
        if (!NextInt(ref rest, ref field, 4, out int ppid)
            || !Next(ref rest, ref field, 9, out ulong flags)
            || flags > uint.MaxValue
            || !Next(ref rest, ref field, 10, out ulong minorFaults)
            || !Next(ref rest, ref field, 12, out ulong majorFaults)
            || !Next(ref rest, ref field, 14, out ulong userTicks)
            || !Next(ref rest, ref field, 15, out ulong kernelTicks)
            || !NextSigned(ref rest, ref field, 16, out long waitedUserTicks)
            || !NextSigned(ref rest, ref field, 17, out long waitedKernelTicks)
            || !NextInt(ref rest, ref field, 20, out int threads)
            || !NextTime(ref rest, ref field, 22, out ulong startTicks)
            || !NextInt(ref rest, ref field, LastField, out int processor)
            // Without a character after it the last number may have been cut.
            || rest.IsEmpty || rest[0] is not ((byte)' ' or (byte)'\n'))
            return false;

        stat = new ProcStat
        {
            Pid = pid,
            Comm = comm,
            State = state,
            Ppid = ppid,
            Flags = (uint)flags,
            MinorFaults = minorFaults,
            MajorFaults = majorFaults,
            UserTicks = userTicks,
            KernelTicks = kernelTicks,
            WaitedNanoseconds = (FromSigned(waitedUserTicks), FromSigned(waitedKernelTicks)),
            NumThreads = threads,
            StartTicks = startTicks,
            Processor = processor,
        };
        return true;
    }

    /// <summary>Skips the fields before <paramref name="wanted"/>, which may be negative, and reads that one, which may not.</summary>
    private static bool Next(ref ReadOnlySpan<byte> rest, ref int field, int wanted, out ulong value)
    {
        while (++field < wanted)
        {
            if (!Skip(ref rest))
            {
                value = 0;
                return false;
            }
        }
        value = 0;
        return Digits.TryTake(ref rest, (byte)' ') && Digits.TryReadULong(ref rest, out value);
    }

    // The kernel prints these two as signed numbers (do_task_stat, fs/proc/array.c).
    private static bool NextSigned(ref ReadOnlySpan<byte> rest, ref int field, int wanted, out long value)
    {
        value = -1;
        while (++field < wanted)
        {
            if (!Skip(ref rest))
                return false;
        }
        if (!Digits.TryTake(ref rest, (byte)' '))
            return false;
        bool negative = Digits.TryTake(ref rest, (byte)'-');
        if (!Digits.TryReadULong(ref rest, out ulong number))
            return false;
        if (!negative && number <= long.MaxValue)
            value = (long)number;
        return true;
    }

    private static long FromSigned(long ticks) => ticks < 0 ? -1 : Clocks.FromTicks((ulong)ticks);

    private static bool NextInt(ref ReadOnlySpan<byte> rest, ref int field, int wanted, out int value)
    {
        bool valid = Next(ref rest, ref field, wanted, out ulong number) && number <= int.MaxValue;
        value = valid ? (int)number : 0;
        return valid;
    }

    private static bool NextTime(ref ReadOnlySpan<byte> rest, ref int field, int wanted, out ulong ticks) =>
        Next(ref rest, ref field, wanted, out ticks) && ticks <= Clocks.LongestTicks;

    private static bool Skip(ref ReadOnlySpan<byte> rest)
    {
        if (!Digits.TryTake(ref rest, (byte)' '))
            return false;
        Digits.TryTake(ref rest, (byte)'-');
        return Digits.TryReadULong(ref rest, out _);
    }
}
