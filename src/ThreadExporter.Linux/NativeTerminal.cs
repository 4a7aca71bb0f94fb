using System.Runtime.InteropServices;

namespace ThreadExporter.Linux;

/// <summary>Calls into the C library for the terminal: termios(3), ioctl_tty(2), poll(2).</summary>
internal static unsafe partial class NativeTerminal
{
    // asm-generic/termbits.h: the values of x86-64 and ARM; POWER differs.
    public const uint ICANON = 0x2, ECHO = 0x8, IEXTEN = 0x8000;
    public const int VTIME = 5, VMIN = 6, TCSADRAIN = 1;
    public const nuint TIOCGWINSZ = 0x5413;
    public const short POLLIN = 1;

    private const string LibC = "libc";

    [LibraryImport(LibC)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int isatty(int fd);

    [LibraryImport(LibC)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int tcgetattr(int fd, Termios* attributes);

    [LibraryImport(LibC, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int tcsetattr(int fd, int actions, Termios* attributes);

    // ioctl is variadic in C; TIOCGWINSZ takes a pointer.
    [LibraryImport(LibC)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int ioctl(int fd, nuint request, Winsize* size);

    [LibraryImport(LibC, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int poll(Pollfd* descriptors, nuint count, int timeout);

    [LibraryImport(LibC, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial nint read(int fd, void* buffer, nuint count);

    /// <summary>struct termios of glibc: 60 bytes.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 60)]
    public struct Termios
    {
        [FieldOffset(12)]
        public uint LocalFlags;
        [FieldOffset(17)]
        public fixed byte Characters[32];
    }

    /// <summary>struct winsize (ioctl_tty(2)).</summary>
    public struct Winsize
    {
        public ushort Rows;
        public ushort Columns;
        public ushort Width;
        public ushort Height;
    }

    public struct Pollfd
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }
}
