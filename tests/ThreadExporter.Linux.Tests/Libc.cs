using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

[assembly: SupportedOSPlatform("linux")]

namespace ThreadExporter.Linux.Tests;

/// <summary>What the tests need of the C library to make the situations the readers must survive.</summary>
internal static partial class Libc
{
    public const int NoBody = 65534;

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int mkfifo(string path, uint mode);

    /// <summary>Of the calling thread alone, which makes root one of the others for files.</summary>
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

    // Variadic in C; the registers are the same for integers on the architectures .NET runs on.
    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint syscall(nint number, nint a, nint b, nint c);

    /// <summary>Of the calling thread alone, for good: the system call, because the C library's setresuid changes every thread.</summary>
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

    /// <summary>The name of the calling thread, cut by the kernel at 15 bytes.</summary>
    public static unsafe void SetThreadName(byte[] name)
    {
        const int SetName = 15;
        byte[] terminated = [.. name, 0];
        fixed (byte* start = terminated)
            Assert.Equal(0, prctl(SetName, start));
    }

    /// <summary>Runs with no descriptor left to open.</summary>
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

    /// <summary>Runs on a thread of its own and hands on what it throws.</summary>
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
