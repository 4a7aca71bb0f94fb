using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

[assembly: DisableRuntimeMarshalling]

namespace ThreadExporter.Linux;

/// <summary>Every call into the C library (glibc 2.30 or later, 64-bit Linux). The names are those of the C library.</summary>
internal static unsafe partial class Native
{
    public const int EPERM = 1, ENOENT = 2, ESRCH = 3, EINTR = 4, EIO = 5, EAGAIN = 11, EACCES = 13, ENOTDIR = 20, EINVAL = 22, ENFILE = 23,
        EMFILE = 24, ERANGE = 34, EMSGSIZE = 90, ENOBUFS = 105, ECONNREFUSED = 111;
    public const int O_RDONLY = 0, O_NONBLOCK = 0x800, O_CLOEXEC = 0x80000;
    public const int AT_FDCWD = -100, AT_SYMLINK_NOFOLLOW = 0x100, AT_EMPTY_PATH = 0x1000;
    public const uint RENAME_NOREPLACE = 1;
    public const int CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1, CLOCK_THREAD_CPUTIME_ID = 3, CLOCK_BOOTTIME = 7;
    public const int SC_CLK_TCK = 2;
    public const int RLIMIT_NOFILE = 7;
    public const int SIG_UNBLOCK = 1;
    public const nint SIG_DFL = 0, SIG_IGN = 1;
    public const int PRIO_PROCESS = 0;
    public const int TIMER_ABSTIME = 1;
    public const int SOL_SOCKET = 1, SCM_RIGHTS = 1, MSG_DONTWAIT = 0x40, MSG_NOSIGNAL = 0x4000;
    public const int MSG_TRUNC = 0x20, SO_RCVBUF = 8, SO_RCVBUFFORCE = 33, SO_MEMINFO = 55, SK_MEMINFO_DROPS = 8, SK_MEMINFO_VARS = 9;
    public const int AF_NETLINK = 16, SOCK_RAW = 3, SOCK_NONBLOCK = 0x800, SOCK_CLOEXEC = 0x80000, SOL_NETLINK = 270, NETLINK_NO_ENOBUFS = 5;
    public const uint MFD_CLOEXEC = 1, MFD_ALLOW_SEALING = 2;
    public const int F_ADD_SEALS = 1033, F_SEAL_SEAL = 1, F_SEAL_SHRINK = 2, F_SEAL_GROW = 4, F_SEAL_WRITE = 8;
    public const uint STATX_SIZE = 0x200, STATX_BASIC_STATS = 0x7FF;
    // M_… in malloc.h; analyzers treat M_ as a field prefix.
    public const int MALLOPT_TRIM_THRESHOLD = -1, MALLOPT_MMAP_THRESHOLD = -3, MALLOPT_ARENA_MAX = -8;

    /// <summary>The only flag used here whose value depends on the architecture (asm/fcntl.h): ARM and POWER differ.</summary>
    public static readonly int O_DIRECTORY =
        RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Ppc64le ? 0x4000 : 0x10000;

    private const string LibC = "libc";

    /// <summary>errno of the last call of a function that is declared with SetLastError.</summary>
    public static int Errno => Marshal.GetLastPInvokeError();

    // openat is variadic in C; the mode argument is read only with O_CREAT or O_TMPFILE.
    [LibraryImport(LibC, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int openat(int dirfd, byte* pathname, int flags);

    [LibraryImport(LibC, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial nint pread(int fd, void* buf, nuint count, long offset);

    [LibraryImport(LibC, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial nint readlinkat(int dirfd, byte* pathname, byte* buf, nuint bufsiz);

    [LibraryImport(LibC, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial nint getdents64(int fd, void* dirp, nuint count);

    [LibraryImport(LibC)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int close(int fd);

    [LibraryImport(LibC)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int clock_gettime(int clockid, Timespec* tp);

    /// <summary>Returns the error number itself.</summary>
    [LibraryImport(LibC)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int clock_nanosleep(int clockid, int flags, Timespec* request, Timespec* remain);

    [LibraryImport(LibC)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial nint sysconf(int name);

    [LibraryImport(LibC)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int getrlimit(int resource, Rlimit* rlim);

    // "Process" 0 is the calling thread: on Linux each thread has a nice value of its own (setpriority(2), "C library/kernel differences").
    [LibraryImport(LibC)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int setpriority(int which, int who, int prio);

    [LibraryImport(LibC)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int gettid();

    /// <summary>Returns the error number itself.</summary>
    [LibraryImport(LibC)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int getpwnam_r(byte* name, Passwd* pwd, byte* buf, nuint buflen, Passwd** result);

    [LibraryImport(LibC, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int kill(int pid, int sig);

    [LibraryImport(LibC)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int raise(int sig);

    /// <summary>Returns the previous action: a handler, SIG_DFL or SIG_IGN.</summary>
    [LibraryImport(LibC)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial nint signal(int signum, nint handler);

    [LibraryImport(LibC)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int sigaction(int signum, void* act, Sigaction* oldact);

    [LibraryImport(LibC)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int pthread_sigmask(int how, Sigset* set, Sigset* oldset);

    [LibraryImport(LibC, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int statx(int dirfd, byte* pathname, int flags, uint mask, Statx* statxbuf);

    [LibraryImport(LibC, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int renameat2(int olddirfd, byte* oldpath, int newdirfd, byte* newpath, uint flags);

    /// <summary>Returns 0 for an unknown parameter.</summary>
    [LibraryImport(LibC)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int mallopt(int param, int value);

    [LibraryImport(LibC, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial nint sendmsg(SafeHandle socket, Msghdr* message, int flags);

    [LibraryImport(LibC, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial SafeFileHandle socket(int domain, int type, int protocol);

    [LibraryImport(LibC, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int bind(SafeHandle socket, SockaddrNl* address, uint length);

    [LibraryImport(LibC, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial nint sendto(SafeHandle socket, byte* data, nuint length, int flags, SockaddrNl* address, uint addressLength);

    [LibraryImport(LibC, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int recvmmsg(SafeHandle socket, Mmsghdr* messages, uint count, int flags, Timespec* timeout);

    [LibraryImport(LibC, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int setsockopt(SafeHandle socket, int level, int option, int* value, uint length);

    [LibraryImport(LibC, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int getsockopt(SafeHandle socket, int level, int option, uint* value, uint* length);

    [LibraryImport(LibC, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial SafeFileHandle memfd_create(byte* name, uint flags);

    // fcntl is variadic in C; F_ADD_SEALS takes an int.
    [LibraryImport(LibC, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int fcntl(SafeHandle fd, int command, int argument);

    public struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    public struct Rlimit
    {
        public ulong Soft;
        public ulong Hard;
    }

    /// <summary>
    /// struct sigaction: the handler is its first member on every 64-bit architecture. The other members are not read, and the struct is smaller
    /// than this.
    /// </summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    public struct Sigaction
    {
        [FieldOffset(0)]
        public nint Handler;
    }

    /// <summary>sigset_t of 1024 bits; signal N is bit N - 1, and those used here are in the first word.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    public struct Sigset
    {
        [FieldOffset(0)]
        public ulong Word;
    }

    /// <summary>struct statx (linux/stat.h), the same on every architecture; only these of its 256 bytes are read.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    public struct Statx
    {
        [FieldOffset(20)]
        public uint Owner;
        [FieldOffset(28)]
        public ushort Mode;
        [FieldOffset(32)]
        public ulong Inode;
        [FieldOffset(40)]
        public ulong Size;
        [FieldOffset(96)]
        public long ChangedSeconds;
        [FieldOffset(104)]
        public uint ChangedNanoseconds;
        [FieldOffset(112)]
        public long ModifiedSeconds;
        [FieldOffset(120)]
        public uint ModifiedNanoseconds;
        [FieldOffset(136)]
        public uint DeviceMajor;
        [FieldOffset(140)]
        public uint DeviceMinor;
    }

    /// <summary>struct passwd in the layout of 64-bit C libraries on Linux.</summary>
    public struct Passwd
    {
        public byte* Name;
        public byte* Password;
        public uint Uid;
        public uint Gid;
        public byte* Gecos;
        public byte* Directory;
        public byte* Shell;
    }

    public struct Iovec
    {
        public void* Base;
        public nuint Length;
    }

    /// <summary>struct msghdr of sendmsg(2).</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Msghdr
    {
        public void* Name;
        public uint NameLength;
        public Iovec* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    /// <summary>struct mmsghdr of recvmmsg(2).</summary>
    public struct Mmsghdr
    {
        public Msghdr Header;
        public uint Length;
    }

    /// <summary>struct sockaddr_nl of netlink(7).</summary>
    public struct SockaddrNl
    {
        public ushort Family;
        public ushort Padding;
        public uint PortId;
        public uint Groups;
    }

    /// <summary>struct cmsghdr of cmsg(3), followed by one descriptor and padded to CMSG_SPACE(sizeof(int)).</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Cmsghdr
    {
        public nuint Length;
        public int Level;
        public int Type;
        public int Descriptor;
        public int Padding;
    }
}
