namespace ThreadExporter.Model;

/// <summary>
/// The CPU ledger of a process or a group. Between two successive collections, to the nanosecond: the increase of <see cref="Cpu"/> is the
/// increase of the thread series that are shown in both (those of exited threads included), of <see cref="Folded"/> and of
/// <see cref="Transient"/>. None of them decreases.
/// </summary>
internal class CpuBalance
{
    /// <summary>
    /// CPU time, exited threads included; of a process never below its clock at the time its threads were read. Nanoseconds.
    /// </summary>
    public long Cpu { get; set; }

    /// <summary>CPU time that live threads used while they had no series that was shown in both collections. Nanoseconds.</summary>
    public long Folded { get; set; }

    /// <summary>
    /// CPU time used outside any thread's observed lifetime: by threads or processes that lived between two collections, before a thread was
    /// first seen, or after it was last seen. Nanoseconds.
    /// </summary>
    public long Transient { get; set; }
}
