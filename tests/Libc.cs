using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace ThreadExporter;

/// <summary>C library functions that the tests need to create unusual situations. Compiled into each test project that uses them.</summary>
internal static unsafe partial class Libc
{
    private const int Nobody = 65534;
    private const int OpenFiles = 7;

    /// <summary>The tid of the calling thread.</summary>
    public static int ThreadId => gettid();

    /// <summary>Runs an action on a new thread and rethrows its exception.</summary>
    public static void OnOwnThread(Action action)
    {
        Exception? thrown = null;
        Thread thread = new(() => thrown = Record.Exception(action));
        thread.Start();
        thread.Join();
        if (thrown is not null)
            ExceptionDispatchInfo.Throw(thrown);
    }

    /// <summary>Runs an action on a new thread that is bound to one CPU, and rethrows its exception.</summary>
    public static void OnCpu(int cpu, Action action) => OnOwnThread(() =>
    {
        ulong* mask = stackalloc ulong[16];
        new Span<ulong>(mask, 16).Clear();
        mask[cpu / 64] = 1UL << (cpu % 64);
        Assert.Equal(0, sched_setaffinity(0, 16 * sizeof(ulong), mask));
        action();
    });

    /// <summary>
    /// Runs an action on a new thread that accesses files as nobody when the tests run as root, who can read everything. For other users the
    /// mode of a file is enough. Rethrows its exception.
    /// </summary>
    public static void AsNobody(Action action) => OnOwnThread(() =>
    {
        if (Environment.IsPrivilegedProcess)
        {
            // It returns the former uid, also when it fails.
            _ = setfsuid(Nobody);
            Assert.Equal(Nobody, setfsuid(-1));
        }
        action();
    });

    /// <summary>Only for the calling thread, irreversibly: the system call, because setresuid of the C library changes every thread.</summary>
    public static void BecomeNobody()
    {
        nint setresuid = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => 117,
            Architecture.Arm64 => 147,
            var other => throw new PlatformNotSupportedException($"the number of setresuid on {other}"),
        };
        Assert.Equal(0, syscall(setresuid, Nobody, Nobody, Nobody));
    }

    /// <summary>Sets the name of the calling thread; the kernel cuts it at 15 bytes.</summary>
    public static void SetThreadName(byte[] name)
    {
        const int SetName = 15;
        byte[] terminated = [.. name, 0];
        fixed (byte* start = terminated)
            Assert.Equal(0, prctl(SetName, start));
    }

    /// <summary>Runs an action while this process has no free descriptor.</summary>
    public static void WithoutDescriptors(Action action)
    {
        ulong former = LimitOpenFiles(0, 0);
        try
        {
            action();
        }
        finally
        {
            LimitOpenFiles(0, former);
        }
    }

    /// <summary>Sets the soft limit of open files of a running process (0: this one), as prlimit(1) does. Returns the former one.</summary>
    public static ulong LimitOpenFiles(int pid, ulong soft)
    {
        ulong* former = stackalloc ulong[2];
        Assert.Equal(0, prlimit(pid, OpenFiles, null, former));
        ulong* wanted = stackalloc ulong[2] { soft, former[1] };
        Assert.Equal(0, prlimit(pid, OpenFiles, wanted, null));
        return former[0];
    }

    /// <summary>link(2).</summary>
    public static void Link(string existing, string path) => Assert.Equal(0, link(existing, path));

    /// <summary>Makes a FIFO that every user may open; nothing writes to it.</summary>
    public static void MakeFifo(string path) => Assert.Equal(0, mkfifo(path, 0x1b6));

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int gettid();

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int sched_setaffinity(int pid, nuint size, ulong* mask);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int setfsuid(int uid);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int prctl(int option, byte* name);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int prlimit(int pid, int resource, ulong* wanted, ulong* former);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int link(string existing, string path);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int mkfifo(string path, uint mode);

    // Variadic in C; integer arguments use the same registers on all architectures of .NET.
    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint syscall(nint number, nint a, nint b, nint c);
}
