namespace ThreadExporter.Model;

/// <summary>Exited processes of one filter with the same labels. Written by <c>Series/ExitedProcesses</c> only.</summary>
/// <param name="filter">The name of the filter.</param>
/// <param name="daemon">Label <c>daemon</c>, UTF-8.</param>
/// <param name="name">Label <c>pname</c>, UTF-8.</param>
/// <param name="cgroupLabels">The labels that the filter adds.</param>
internal sealed class ExitedProcess(string filter, byte[] daemon, byte[] name, (string Name, byte[] Value)[] cgroupLabels)
{
    private long _hidden;
    private bool _isShown;

    public string Filter { get; } = filter;

    public byte[] Daemon { get; } = daemon;

    public byte[] Name { get; } = name;

    public (string Name, byte[] Value)[] CgroupLabels { get; } = cgroupLabels;

    /// <summary>Processes that have exited.</summary>
    public long Exits { get; set; }

    /// <summary>Processes that have exited since the first collection that showed it: it starts at 0.</summary>
    public long ShownExits => Exits - _hidden;

    /// <summary>When the last one was added, CLOCK_MONOTONIC ns.</summary>
    public long AddedAt { get; set; }

    /// <summary>Their threads.</summary>
    public ExitedNames Names { get; } = new();

    /// <summary>Written by <c>Exposition/OwnerLabels</c> only.</summary>
    public RenderedLabels RenderedLabels { get; } = new();

    /// <summary>Shows it from this collection on.</summary>
    public void Show()
    {
        Names.Show();
        if (!_isShown)
            (_isShown, _hidden) = (true, Exits);
    }
}
