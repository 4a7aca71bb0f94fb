namespace ThreadExporter.Matching;

/// <summary>Task names for labels.</summary>
internal static class TaskName
{
    /// <summary>
    /// The constant part of a comm. The comm of a kworker ends with its work item, which changes many times a second (kernel/workqueue.c,
    /// wq_worker_comm: after <c>+</c> the current one, after <c>-</c> the last one). Other names are returned unchanged.
    /// </summary>
    /// <remarks>
    /// The name of a rescuer (<c>kworker/R-NAME</c> on newer kernels) follows a <c>-</c> and may contain more of them, so only <c>+</c> marks
    /// its work item.
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
