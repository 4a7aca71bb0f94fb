using System.Globalization;
using System.Text;

namespace ThreadExporter.Procfs.Tests;

/// <summary>Alone, because they count and take away the descriptors of the whole process.</summary>
[CollectionDefinition(nameof(DescriptorTests), DisableParallelization = true)]
[Collection(nameof(DescriptorTests))]
public class DescriptorTests
{
    [Fact]
    public void Ten_thousand_reads_leave_no_descriptor_open()
    {
        Assert.Equal(ReadStatus.Ok, ProcFile.OpenRoot("/proc", out int proc));
        byte[] buffer = new byte[1024];
        var ids = new List<int>();
        int before = Count(proc, ids);
        for (int i = 0; i < 10_000; i++)
        {
            Assert.Equal(ReadStatus.Ok, ProcFile.ReadOnce(proc, "self/schedstat"u8, buffer, out _));
            Assert.Equal(ReadStatus.Gone, ProcFile.ReadOnce(proc, "self/missing"u8, buffer, out _));
            Assert.Equal(ReadStatus.Other, ProcFile.ReadOnce(proc, "self/fd"u8, buffer, out _));
            Assert.Equal(ReadStatus.Ok, ProcFile.ListIds(proc, "self/task"u8, ids));
        }
        using (ProcfsRoot.Open("/proc"))
        {
            // Opened and disposed: it leaves none either.
        }
        Assert.Throws<IOException>(() => ProcfsRoot.Open("/"));
        Assert.InRange(Count(proc, ids), before - 5, before + 5);
        ProcFile.Close(proc);
    }

    [Fact]
    public void Out_of_descriptors_is_told_apart()
    {
        Assert.Equal(ReadStatus.Ok, ProcFile.OpenRoot("/proc", out int proc));
        ReadStatus open = default, read = default, list = default, root = default;
        int fd = 0;
        string path = "/proc";
        var ids = new List<int>();
        Libc.WithoutDescriptors(() =>
        {
            open = ProcFile.Open(proc, "self/stat"u8, out fd);
            read = ProcFile.ReadOnce(proc, "self/stat"u8, new byte[10], out _);
            list = ProcFile.ListIds(proc, "."u8, ids);
            root = ProcFile.OpenRoot(path, out _);
        });
        ProcFile.Close(proc);
        Assert.Equal(
            (ReadStatus.NoDescriptors, ReadStatus.NoDescriptors, ReadStatus.NoDescriptors, ReadStatus.NoDescriptors, -1),
            (open, read, list, root, fd));
    }

    [Fact]
    public void What_is_opened_is_closed_on_exec()
    {
        const int CloseOnExec = 0x80000;
        Assert.Equal(ReadStatus.Ok, ProcFile.OpenRoot("/proc", out int proc));
        Assert.Equal(ReadStatus.Ok, ProcFile.Open(proc, "self/stat"u8, out int file));
        foreach (int fd in (int[])[proc, file])
        {
            string flags = File.ReadLines($"/proc/self/fdinfo/{fd}").Single(line => line.StartsWith("flags:", StringComparison.Ordinal));
            Assert.Equal(CloseOnExec, Convert.ToInt32(flags[6..].Trim(), 8) & CloseOnExec);
            ProcFile.Close(fd);
        }
    }

    [Fact]
    public void The_limit_is_the_one_the_kernel_shows()
    {
        string line = File.ReadLines("/proc/self/limits").Single(l => l.StartsWith("Max open files", StringComparison.Ordinal));
        string soft = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];
        Assert.Equal(soft, Limits.OpenFiles().ToString(CultureInfo.InvariantCulture));
    }

    private static int Count(int proc, List<int> ids)
    {
        Assert.Equal(ReadStatus.Ok, ProcFile.ListIds(proc, Encoding.ASCII.GetBytes("self/fd"), ids));
        return ids.Count;
    }
}
