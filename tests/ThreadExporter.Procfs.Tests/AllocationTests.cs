using ThreadExporter.Linux;

namespace ThreadExporter.Procfs.Tests;

/// <summary>A scrape does these for each of tens of thousands of threads.</summary>
public sealed class AllocationTests : IDisposable
{
    private readonly byte[] _buffer = new byte[4096];
    private readonly int _proc;

    public AllocationTests() => Assert.Equal(ReadStatus.Ok, RawFile.OpenRoot("/proc", out _proc));

    public void Dispose() => RawFile.Close(_proc);

    [Fact]
    public void Reading_schedstat_through_a_kept_descriptor()
    {
        Assert.Equal(ReadStatus.Ok, RawFile.Open(_proc, "self/schedstat"u8, out int fd));
        AssertAllocatesNothing(() =>
            RawFile.ReadAt(fd, _buffer, out int length) == ReadStatus.Ok
            && ProcSchedstat.TryParse(_buffer.AsSpan(0, length), out ProcSchedstat schedStat)
            && schedStat.RunNanoseconds > 0);
        RawFile.Close(fd);
    }

    [Fact]
    public void Reading_stat_by_path()
    {
        int pid = Environment.ProcessId;
        AssertAllocatesNothing(() =>
        {
            Span<byte> path = stackalloc byte[ProcPath.BufferSize];
            return RawFile.ReadOnce(_proc, ProcPath.Format(path, "self/task/"u8, pid, "/stat"u8), _buffer, out int length) == ReadStatus.Ok
                && ProcStat.TryParse(_buffer.AsSpan(0, length), out ProcStat stat)
                && stat.Pid == pid;
        });
    }

    [Fact]
    public void Reading_status() => AssertAllocatesNothing(() =>
        RawFile.ReadOnce(_proc, "self/status"u8, _buffer, out int length) == ReadStatus.Ok
        && ProcStatus.TryParse(_buffer.AsSpan(0, length), out _));

    [Fact]
    public void Listing_threads()
    {
        List<int> ids = new(10_000);
        AssertAllocatesNothing(() => RawFile.ListIds(_proc, "self/task"u8, ids) == ReadStatus.Ok && ids.Count > 0);
    }

    [Fact]
    public void Opening_and_closing() => AssertAllocatesNothing(() =>
    {
        bool opened = RawFile.OpenDirectory(_proc, "self"u8, out int fd) == ReadStatus.Ok;
        RawFile.Close(fd);
        return opened;
    });

    [Fact]
    public void Opening_a_file_that_no_longer_exists() => AssertAllocatesNothing(() =>
        RawFile.ReadOnce(_proc, "self/task/0/stat"u8, _buffer, out _) == ReadStatus.Gone);

    [Fact]
    public void Reading_the_clocks()
    {
        int pid = Environment.ProcessId;
        AssertAllocatesNothing(() => Clocks.TryGetProcessCpu(pid, out long cpu) && cpu > 0 && Clocks.MonotonicNanoseconds() > 0);
    }

    private static void AssertAllocatesNothing(Func<bool> work)
    {
        const int Times = 1000;
        // The first calls load the C library's functions.
        Assert.True(work());
        bool all = true;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Times; i++)
            all &= work();
        long after = GC.GetAllocatedBytesForCurrentThread();
        Assert.True(all);
        Assert.Equal(0, after - before);
    }
}
