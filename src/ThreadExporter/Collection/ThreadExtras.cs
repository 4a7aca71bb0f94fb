using ThreadExporter.Configuration;

namespace ThreadExporter.Collection;

/// <summary>What <c>collector.extended</c> adds to a thread, as of the last read; -1: not chosen, or it cannot be read.</summary>
internal sealed class ThreadExtras(ExtendedKinds kinds)
{
    /// <summary>What was chosen when they were read.</summary>
    public ExtendedKinds Kinds { get; } = kinds;

    public long VoluntarySwitches { get; set; } = -1;
    public long InvoluntarySwitches { get; set; } = -1;
    public long MinorFaults { get; set; } = -1;
    public long MajorFaults { get; set; } = -1;

    /// <summary>Bytes read from storage.</summary>
    public long ReadBytes { get; set; } = -1;

    /// <summary>Bytes written to storage or to be written.</summary>
    public long WriteBytes { get; set; } = -1;

    /// <summary>The number of the CPU that it was on.</summary>
    public long LastCpu { get; set; } = -1;
}
