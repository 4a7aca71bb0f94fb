namespace ThreadExporter.Netlink.Tests;

/// <summary>Events as in include/uapi/linux/connector.h and cn_proc.h.</summary>
public class ProcessConnectorTests
{
    private readonly Dictionary<int, int> _processes = [];

    /// <summary>struct cn_msg with struct proc_event: an exit event ends with its code, its signal and the parent.</summary>
    private static byte[] Event(uint what, int tid, int tgid, uint index = 1) => Taskstats.Netlink(
        [.. Taskstats.Number(index), .. Taskstats.Number(1), .. Taskstats.Number(77), .. Taskstats.Number(0), 40, 0, 0, 0,
            .. Taskstats.Number(what), .. Taskstats.Number(0), .. new byte[8],
            .. Taskstats.Number((uint)tid), .. Taskstats.Number((uint)tgid), .. new byte[16]], type: 3);

    [Fact]
    public void An_exit_says_the_process_and_other_events_are_skipped()
    {
        const uint Exit = 0x80000000, Fork = 1, None = 0;
        ProcessConnector.Parse(Event(Exit, 12, 10), _processes);
        ProcessConnector.Parse([.. Event(Exit, 13, 10), .. Event(Exit, 14, 14)], _processes);
        ProcessConnector.Parse(Event(Fork, 15, 10), _processes);
        ProcessConnector.Parse(Event(None, 16, 10), _processes);
        ProcessConnector.Parse(Event(Exit, 17, 10, index: 2), _processes);
        ProcessConnector.Parse(Event(Exit, 0, 10), _processes);
        ProcessConnector.Parse(Event(Exit, 18, -1), _processes);
        Assert.Equal([12, 13, 14], _processes.Keys.Order());
        Assert.Equal((10, 14), (_processes[13], _processes[14]));
    }

    [Fact]
    public void Truncations_are_skipped()
    {
        byte[] exit = Event(0x80000000, 12, 10);
        for (int length = 0; length < exit.Length; length++)
            ProcessConnector.Parse(exit.AsSpan(0, length), _processes);
        Assert.Empty(_processes);
    }

    [Fact]
    public void What_nobody_asks_for_does_not_grow_for_ever()
    {
        for (int tid = 1; tid <= ProcessConnector.Capacity + 10; tid++)
            ProcessConnector.Parse(Event(0x80000000, tid, 1), _processes);
        Assert.InRange(_processes.Count, 1, ProcessConnector.Capacity);
        Assert.Contains(ProcessConnector.Capacity + 10, _processes.Keys);
    }
}
