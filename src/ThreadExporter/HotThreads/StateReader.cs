using ThreadExporter.Collection;
using ThreadExporter.Linux;
using ThreadExporter.Procfs;

namespace ThreadExporter.HotThreads;

/// <summary>
/// Looks at the states of the known threads: a thread in state D, or one that waits for a CPU without getting it, moves no clock. The
/// CPU time for it is limited, so with many threads they take turns.
/// </summary>
internal sealed class StateReader
{
    private const int CheckEvery = 32;

    // As much as a thread that waits for half of the time.
    private const double StuckLoad = 0.5;

    private readonly byte[] _buffer = new byte[4096];
    private int _process;
    private int _thread;

    /// <summary>Takes looks, from where the last call has stopped.</summary>
    /// <param name="processes">The watched processes.</param>
    /// <param name="snapshot">The number of the snapshot.</param>
    /// <param name="budget">CPU time that may be used, in nanoseconds.</param>
    /// <param name="stuck">Receives the threads without a history that are blocked or wait.</param>
    public void Look(IReadOnlyList<HotProcessState> processes, long snapshot, long budget, List<(HotProcessState Process, HotThreadState Thread)> stuck)
    {
        long start = Clocks.ThreadCpuNanoseconds();
        int looked = 0;
        for (int i = 0; i < processes.Count; i++, _process++, _thread = 0)
        {
            _process %= processes.Count;
            HotProcessState process = processes[_process];
            int known = process.Watched.Threads.Count;
            for (; _thread < known + process.NewThreads.Count; _thread++)
            {
                if (looked++ % CheckEvery == 0 && Clocks.ThreadCpuNanoseconds() - start > budget)
                    return;
                Look(process, _thread < known ? process.StateOf(process.Watched.Threads[_thread]) : process.NewThreads[_thread - known], snapshot, stuck);
            }
        }
    }

    private void Look(HotProcessState process, HotThreadState thread, long snapshot, List<(HotProcessState Process, HotThreadState Thread)> stuck)
    {
        if (ThreadReader.ReadFile(process.Watched, thread.Tid, -1, "/stat"u8, _buffer, out int length) != ReadStatus.Ok
            || !ProcStat.TryParse(_buffer.AsSpan(0, length), out ProcStat stat))
        {
            return;
        }
        thread.LookAt(snapshot, stat.State, process.IdleInTick == snapshot);
        StateLooks looks = thread.Looks.Recent(snapshot);
        if (!looks.IsBlocked && !looks.IsWaiting)
            return;
        thread.AddLoad(StuckLoad, snapshot);
        if (thread.History is null)
            stuck.Add((process, thread));
    }
}
