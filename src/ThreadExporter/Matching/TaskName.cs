namespace ThreadExporter.Matching;

/// <summary>Names of tasks as labels show them.</summary>
internal static class TaskName
{
    /// <summary>
    /// The part of a comm that stays: a kworker's ends before the work it is shown with, which changes many times a second
    /// (kernel/workqueue.c, wq_worker_comm: <c>+</c> at work, <c>-</c> after it). Other names are returned as they are.
    /// </summary>
    /// <remarks>
    /// A rescuer (<c>kworker/R-NAME</c> on newer kernels) keeps its name: the name follows a <c>-</c> and may hold more of them,
    /// so that only <c>+</c> marks its work.
    /// </remarks>
    public static ReadOnlySpan<byte> Stable(ReadOnlySpan<byte> comm, bool kernelThread)
    {
        ReadOnlySpan<byte> prefix = "kworker/"u8;
        if (!kernelThread || !comm.StartsWith(prefix))
            return comm;
        ReadOnlySpan<byte> worker = comm[prefix.Length..];
        int end = worker.StartsWith("R-"u8) ? worker.IndexOf((byte)'+') : worker.IndexOfAny((byte)'-', (byte)'+');
        return end < 0 ? comm : comm[..(prefix.Length + end)];
    }
}
