using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace ThreadExporter.Tests.Support;

/// <summary>What the tests need of the C library to make the situations that the collector must survive.</summary>
internal static unsafe partial class Libc
{
    private const int Nobody = 65534;

    /// <summary>Runs on a thread of its own that keeps to one CPU, and hands on what it throws.</summary>
    public static void OnCpu(int cpu, Action action)
    {
        Exception? thrown = null;
        Thread thread = new(() => thrown = Record.Exception(() =>
        {
            ulong* mask = stackalloc ulong[16];
            new Span<ulong>(mask, 16).Clear();
            mask[cpu / 64] = 1UL << (cpu % 64);
            Assert.Equal(0, sched_setaffinity(0, 16 * sizeof(ulong), mask));
            action();
        }));
        thread.Start();
        thread.Join();
        if (thrown is not null)
            ExceptionDispatchInfo.Throw(thrown);
    }

    /// <summary>Runs on a thread of its own that is nobody for files, whom modes keep out though this suite runs as root, and hands on what it throws.</summary>
    public static void AsNobody(Action action)
    {
        Exception? thrown = null;
        Thread thread = new(() => thrown = Record.Exception(() =>
        {
            if (Environment.IsPrivilegedProcess)
            {
                // It returns the former one, also when it fails.
                _ = setfsuid(Nobody);
                Assert.Equal(Nobody, setfsuid(-1));
            }
            action();
        }));
        thread.Start();
        thread.Join();
        if (thrown is not null)
            ExceptionDispatchInfo.Throw(thrown);
    }

    /// <summary>Runs while this whole process has no descriptor left to open.</summary>
    public static void WithoutDescriptors(Action action)
    {
        const int OpenFiles = 7;
        ulong* former = stackalloc ulong[2];
        Assert.Equal(0, prlimit(0, OpenFiles, null, former));
        ulong* none = stackalloc ulong[2] { 0, former[1] };
        Assert.Equal(0, prlimit(0, OpenFiles, none, null));
        try
        {
            action();
        }
        finally
        {
            Assert.Equal(0, prlimit(0, OpenFiles, former, null));
        }
    }

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int sched_setaffinity(int pid, nuint size, ulong* mask);

    /// <summary>Sets the soft limit of open files of a running process, as prlimit(1) does. Returns the former one.</summary>
    public static ulong LimitOpenFiles(int pid, ulong soft)
    {
        const int OpenFiles = 7;
        ulong* former = stackalloc ulong[2];
        Assert.Equal(0, prlimit(pid, OpenFiles, null, former));
        ulong* wanted = stackalloc ulong[2] { soft, former[1] };
        Assert.Equal(0, prlimit(pid, OpenFiles, wanted, null));
        return former[0];
    }

    /// <summary>link(2).</summary>
    public static void Link(string existing, string path) => Assert.Equal(0, link(existing, path));

    /// <summary>A FIFO that everybody may open; nobody writes to it.</summary>
    public static void MakeFifo(string path) => Assert.Equal(0, mkfifo(path, 0x1b6));

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int link(string existing, string path);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int mkfifo(string path, uint mode);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int prlimit(int pid, int resource, ulong* wanted, ulong* former);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int setfsuid(int uid);
}
