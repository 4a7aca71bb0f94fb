namespace ThreadExporter.Linux;

/// <summary>kill(2), and signals that a process inherits as ignored or blocked.</summary>
public static unsafe class Signals
{
    /// <summary>Signal numbers, the same on every architecture.</summary>
    public const int Hangup = 1, Interrupt = 2, Quit = 3, Terminate = 15;

    /// <summary>SIGSTOP on x86-64 and ARM (asm-generic/signal.h).</summary>
    private const int Stop = 19;

    /// <summary>Sends SIGHUP to one process.</summary>
    /// <returns>
    /// <see cref="ReadStatus.Gone"/>: no such process; <see cref="ReadStatus.Denied"/>: permission denied;
    /// <see cref="ReadStatus.Other"/>: not a pid (0 and below mean a group, or every process).
    /// </returns>
    public static ReadStatus SendHangup(int pid)
    {
        if (pid <= 0)
            return ReadStatus.Other;
        return Native.kill(pid, Hangup) == 0 ? ReadStatus.Ok : RawFile.StatusOf(Native.Errno);
    }

    /// <summary>
    /// Stops this process until SIGCONT, as the default action of SIGTSTP (Ctrl-Z) does. By raise(3), which sends the signal to the calling
    /// thread: after kill(2) another thread may take it, and this one would run on for a moment.
    /// </summary>
    public static void StopThisProcess() => _ = Native.raise(Stop);

    /// <summary>
    /// Restores the default action of signals that are ignored, and unblocks them. Both states survive execve(2): nohup(1) and
    /// <c>trap '' HUP</c> leave SIGHUP ignored. The runtime installs no handler for an ignored signal, so call this before the first
    /// registration.
    /// </summary>
    public static void RestoreDefaults(params ReadOnlySpan<int> signals)
    {
        Native.Sigset set = default;
        foreach (int signal in signals)
        {
            set.Word |= 1UL << (signal - 1);
            Native.Sigaction current = default;
            // Only when it is ignored: the runtime may have installed a handler already.
            if (Native.sigaction(signal, null, &current) == 0 && current.Handler == Native.SIG_IGN)
                _ = Native.signal(signal, Native.SIG_DFL);
        }
        // Only in this thread, which is enough: the kernel delivers a signal to any thread of the process that does not block it.
        _ = Native.pthread_sigmask(Native.SIG_UNBLOCK, &set, null);
    }
}
