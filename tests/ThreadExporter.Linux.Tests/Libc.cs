using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

[assembly: SupportedOSPlatform("linux")]

namespace ThreadExporter.Linux.Tests;

/// <summary>C library functions that the tests need to create unusual situations.</summary>
internal static partial class Libc
{
    public const int NoBody = 65534;

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int mkfifo(string path, uint mode);

    /// <summary>Only for the calling thread: for file access root is then an ordinary user.</summary>
    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int setfsuid(int uid);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int gettid();

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial int prctl(int option, byte* name);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial int prlimit(int pid, int resource, ulong* wanted, ulong* former);

    // Variadic in C; integer arguments use the same registers on all architectures of .NET.
    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint syscall(nint number, nint a, nint b, nint c);

    /// <summary>Only for the calling thread, irreversibly: the system call, because setresuid of the C library changes every thread.</summary>
    public static void BecomeNobody()
    {
        nint setresuid = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => 117,
            Architecture.Arm64 => 147,
            var other => throw new PlatformNotSupportedException($"the number of setresuid on {other}"),
        };
        Assert.Equal(0, syscall(setresuid, NoBody, NoBody, NoBody));
    }

    /// <summary>Sets the name of the calling thread; the kernel cuts it at 15 bytes.</summary>
    public static unsafe void SetThreadName(byte[] name)
    {
        const int SetName = 15;
        byte[] terminated = [.. name, 0];
        fixed (byte* start = terminated)
            Assert.Equal(0, prctl(SetName, start));
    }

    /// <summary>Runs an action while no descriptor is free.</summary>
    public static unsafe void WithoutDescriptors(Action action)
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
}
