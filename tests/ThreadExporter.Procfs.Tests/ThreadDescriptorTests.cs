using System.Globalization;
using System.Text;
using ThreadExporter.Linux;


namespace ThreadExporter.Procfs.Tests;

/// <summary>Not in parallel, because they count and exhaust the descriptors of the whole process.</summary>
[CollectionDefinition(nameof(ThreadDescriptorTests), DisableParallelization = true)]
[Collection(nameof(ThreadDescriptorTests))]
public class ThreadDescriptorTests
{
    [Fact]
    public void Ten_thousand_reads_leave_no_descriptor_open()
    {
        Assert.Equal(ReadStatus.Ok, RawFile.OpenRoot("/proc", out int proc));
        byte[] buffer = new byte[1024];
        List<int> ids = new();
        int before = Count(proc, ids);
        for (int i = 0; i < 10_000; i++)
        {
            Assert.Equal(ReadStatus.Ok, RawFile.ReadOnce(proc, "self/schedstat"u8, buffer, out _));
            Assert.Equal(ReadStatus.Gone, RawFile.ReadOnce(proc, "self/missing"u8, buffer, out _));
            Assert.Equal(ReadStatus.Other, RawFile.ReadOnce(proc, "self/fd"u8, buffer, out _));
            Assert.Equal(ReadStatus.Ok, RawFile.ListIds(proc, "self/task"u8, ids));
        }
        using (ProcfsRoot.Open("/proc"))
        {
            // Opened and disposed: no descriptor is left open.
        }
        Assert.Throws<IOException>(() => ProcfsRoot.Open("/"));
        Assert.InRange(Count(proc, ids), before - 5, before + 5);
        RawFile.Close(proc);
    }

    [Fact]
    public void Out_of_descriptors_has_its_own_status()
    {
        Assert.Equal(ReadStatus.Ok, RawFile.OpenRoot("/proc", out int proc));
        ReadStatus open = default, read = default, list = default, root = default;
        int fd = 0;
        string path = "/proc";
        List<int> ids = new();
        Libc.WithoutDescriptors(() =>
        {
            open = RawFile.Open(proc, "self/stat"u8, out fd);
            read = RawFile.ReadOnce(proc, "self/stat"u8, new byte[10], out _);
            list = RawFile.ListIds(proc, "."u8, ids);
            root = RawFile.OpenRoot(path, out _);
        });
        RawFile.Close(proc);
        Assert.Equal(
            (ReadStatus.NoDescriptors, ReadStatus.NoDescriptors, ReadStatus.NoDescriptors, ReadStatus.NoDescriptors, -1),
            (open, read, list, root, fd));
    }

    [Fact]
    public void What_is_opened_is_closed_on_exec()
    {
        const int CloseOnExec = 0x80000;
        Assert.Equal(ReadStatus.Ok, RawFile.OpenRoot("/proc", out int proc));
        Assert.Equal(ReadStatus.Ok, RawFile.Open(proc, "self/stat"u8, out int file));
        foreach (int fd in (int[])[proc, file])
        {
            string flags = File.ReadLines($"/proc/self/fdinfo/{fd}").Single(line => line.StartsWith("flags:", StringComparison.Ordinal));
            Assert.Equal(CloseOnExec, Convert.ToInt32(flags[6..].Trim(), 8) & CloseOnExec);
            RawFile.Close(fd);
        }
    }

    [Fact]
    public void The_limit_is_that_of_the_kernel()
    {
        string line = File.ReadLines("/proc/self/limits").Single(l => l.StartsWith("Max open files", StringComparison.Ordinal));
        string soft = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];
        Assert.Equal(soft, ThisProcess.MaxOpenFiles().ToString(CultureInfo.InvariantCulture));
    }

    private static int Count(int proc, List<int> ids)
    {
        Assert.Equal(ReadStatus.Ok, RawFile.ListIds(proc, Encoding.ASCII.GetBytes("self/fd"), ids));
        return ids.Count;
    }
}
