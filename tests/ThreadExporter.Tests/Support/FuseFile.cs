using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ThreadExporter.Tests.Support;

/// <summary>
/// A regular file whose reads return what the test specifies: data, an error, or nothing, so that they block. Mounted with FUSE (linux/fuse.h)
/// over an existing file, because no plain file, FIFO or device makes a pread(2) wait with any open flags, as a stuck process's cmdline does.
/// </summary>
internal sealed unsafe partial class FuseFile : IDisposable
{
    /// <summary>A response that is not sent until <see cref="Release"/>.</summary>
    public static readonly byte[] Never = [0];

    /// <summary>The end of the file.</summary>
    public static readonly byte[] Empty = [];

    private const int Forget = 2, GetAttributes = 3, Open = 14, Read = 15, Release_ = 18, Flush = 25, Init = 26, Interrupt = 36, BatchForget = 42;
    private const int InHeader = 40, OutHeader = 16;
    private const int EINTR = 4, EIO = 5, ENOSYS = 38;

    private readonly string _path;
    private readonly Func<int, (byte[] Data, int Errno)> _answer;
    private readonly SafeFileHandle _device;
    private readonly Thread _server;
    private readonly Lock _lock = new();
    private readonly List<ulong> _waiting = [];
    private (byte[] Data, int Errno)? _released;
    private int _reads;

    /// <param name="path">A file, hidden until dispose.</param>
    /// <param name="answer">For the n-th read, from 0: its data (or <see cref="Never"/>) and 0, or an errno.</param>
    public FuseFile(string path, Func<int, (byte[] Data, int Errno)> answer)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/dev/fuse"), "a file that blocks needs root and /dev/fuse");
        (_path, _answer) = (path, answer);
        _device = File.OpenHandle("/dev/fuse", FileMode.Open, FileAccess.ReadWrite);
        string options = string.Create(CultureInfo.InvariantCulture, $"fd={_device.DangerousGetHandle()},rootmode=100644,user_id=0,group_id=0,allow_other");
        int failed = mount("te-test", path, "fuse", 0, options);
        Assert.SkipUnless(failed == 0, "mounts are not possible here");
        _server = new Thread(Serve) { IsBackground = true, Name = "fuse" };
        _server.Start();
    }

    /// <summary>The number of reads so far.</summary>
    public int Reads => Volatile.Read(ref _reads);

    /// <summary>Completes the reads that wait and all later ones.</summary>
    public void Release(byte[] data, int errno = 0)
    {
        lock (_lock)
        {
            _released = (data, errno);
            foreach (ulong unique in _waiting)
                Reply(unique, errno, data);
            _waiting.Clear();
        }
    }

    /// <summary>Completes the reads that wait, but no later ones.</summary>
    public void AnswerWaiting(byte[] data)
    {
        lock (_lock)
        {
            foreach (ulong unique in _waiting)
                Reply(unique, 0, data);
            _waiting.Clear();
        }
    }

    public void Dispose()
    {
        Release([], EIO);
        const int Detach = 2;
        Assert.Equal(0, umount2(_path, Detach));
        // The mount ends when the last descriptor on it is closed, and with it the server's read.
        Assert.True(_server.Join(TimeSpan.FromSeconds(10)), "a process keeps the file open");
        _device.Dispose();
    }

    private void Serve()
    {
        byte[] request = new byte[1 << 18];
        while (true)
        {
            nint length;
            fixed (byte* start = request)
                length = read((int)_device.DangerousGetHandle(), start, request.Length);
            if (length < InHeader)
                return;
            ulong unique = BinaryPrimitives.ReadUInt64LittleEndian(request.AsSpan(8));
            switch (BinaryPrimitives.ReadInt32LittleEndian(request.AsSpan(4)))
            {
                case Init:
                    byte[] init = new byte[64];
                    BinaryPrimitives.WriteInt32LittleEndian(init, 7);
                    BinaryPrimitives.WriteInt32LittleEndian(init.AsSpan(4), 31);
                    BinaryPrimitives.WriteInt32LittleEndian(init.AsSpan(20), 4096);
                    Reply(unique, 0, init);
                    break;
                case GetAttributes:
                    byte[] attributes = new byte[104];
                    BinaryPrimitives.WriteUInt64LittleEndian(attributes.AsSpan(16), 1);
                    BinaryPrimitives.WriteUInt32LittleEndian(attributes.AsSpan(76), Convert.ToUInt32("100644", 8));
                    BinaryPrimitives.WriteUInt32LittleEndian(attributes.AsSpan(80), 1);
                    Reply(unique, 0, attributes);
                    break;
                case Open:
                    byte[] open = new byte[16];
                    open[8] = 1; // FOPEN_DIRECT_IO: the kernel caches no read
                    Reply(unique, 0, open);
                    break;
                case Read:
                    AnswerRead(unique);
                    break;
                case Release_ or Flush:
                    Reply(unique, 0, []);
                    break;
                case Interrupt:
                    // Like a wait for the lock of a memory map, it ends when the waiting process is killed.
                    AnswerInterrupted(BinaryPrimitives.ReadUInt64LittleEndian(request.AsSpan(InHeader)));
                    break;
                case Forget or BatchForget:
                    break;
                default:
                    Reply(unique, ENOSYS, []);
                    break;
            }
        }
    }

    private void AnswerRead(ulong unique)
    {
        lock (_lock)
        {
            (byte[] data, int errno) = _released ?? _answer(_reads);
            Volatile.Write(ref _reads, _reads + 1);
            if (errno == 0 && ReferenceEquals(data, Never))
                _waiting.Add(unique);
            else
                Reply(unique, errno, data);
        }
    }

    private void AnswerInterrupted(ulong unique)
    {
        lock (_lock)
        {
            if (_waiting.Remove(unique))
                Reply(unique, EINTR, []);
        }
    }

    private void Reply(ulong unique, int errno, byte[] data)
    {
        byte[] reply = new byte[OutHeader + (errno == 0 ? data.Length : 0)];
        BinaryPrimitives.WriteInt32LittleEndian(reply, reply.Length);
        BinaryPrimitives.WriteInt32LittleEndian(reply.AsSpan(4), -errno);
        BinaryPrimitives.WriteUInt64LittleEndian(reply.AsSpan(8), unique);
        data.AsSpan(0, reply.Length - OutHeader).CopyTo(reply.AsSpan(OutHeader));
        // It fails when the reader has exited.
        fixed (byte* start = reply)
            _ = write((int)_device.DangerousGetHandle(), start, reply.Length);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int mount(string source, string target, string type, nuint flags, string data);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int umount2(string target, int flags);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint read(int fd, byte* buffer, nint count);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint write(int fd, byte* buffer, nint count);
}
