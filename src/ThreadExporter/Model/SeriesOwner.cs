using ThreadExporter.Matching;

namespace ThreadExporter.Model;

/// <summary>What series belong to: a process, or a group of processes (<c>filter.group</c>).</summary>
internal abstract class SeriesOwner
{
    /// <summary>The filter that has selected its processes.</summary>
    public abstract CompiledFilter Filter { get; }

    /// <summary>Its CPU ledger.</summary>
    public abstract CpuBalance Balance { get; }

    /// <summary>Nanoseconds in user mode, a multiple of the clock tick.</summary>
    public abstract long User { get; }

    /// <summary>Nanoseconds in kernel mode, a multiple of the clock tick.</summary>
    public abstract long Kernel { get; }

    /// <summary>Label <c>daemon</c>, UTF-8.</summary>
    public byte[] Daemon { get; protected set; } = [];

    /// <summary>The shown name: of a process in the kernel's bytes, of a group in UTF-8.</summary>
    public byte[] Name { get; protected set; } = [];

    /// <summary>The labels that the filter adds (key <c>labels</c>), without those that have no value.</summary>
    public (string Name, byte[] Value)[] CgroupLabels { get; protected set; } = [];

    /// <summary>Grows when a label changes.</summary>
    public abstract int LabelsVersion { get; }

    /// <summary>Grows when one of its processes joins or leaves. Written by <c>Series/ProcessGroups</c> only.</summary>
    public long MembersVersion { get; set; }

    /// <summary>Exited threads by exit records; null: there were none yet.</summary>
    public ExitBalance? Exits { get; private set; }

    /// <summary>Exited threads by exit records. Called by <c>Collection/ExitCollector</c> only.</summary>
    public ExitBalance StartExits() => Exits ??= new ExitBalance();

    public SeriesSelection Selection { get; } = new();

    /// <summary>Written by <c>Exposition/OwnerLabels</c> only.</summary>
    public RenderedLabels RenderedLabels { get; } = new();

    /// <summary>
    /// The <see cref="LabelsVersion"/> and <see cref="SeriesSelection.ShownVersion"/> for which the labels of all shown series are rendered. Written by
    /// <c>Exposition/OwnerLabels</c> only.
    /// </summary>
    public (int Labels, long Shown) RenderedSeries { get; set; }
}
