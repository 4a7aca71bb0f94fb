using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using ThreadExporter.Linux;
using ThreadExporter.Procfs;

namespace ThreadExporter.Matching;

/// <summary>
/// The properties of one process that filters use. Each is read from the process's /proc directory once, when it is first needed. Not
/// thread-safe; valid while the directory's descriptor is open.
/// </summary>
internal sealed class ProcessInfo
{
    /// <summary>Enough for line <c>Uid</c> of <c>status</c>, which comes before the lines that may be long.</summary>
    private const int SmallFile = 4096;
    /// <summary>A cgroup path has at most PATH_MAX bytes, and v1 has about a dozen hierarchies.</summary>
    private const int LargeFile = 64 * 1024;
    private const string DeletedSuffix = " (deleted)";

    private readonly int _dirFd;
    private readonly byte[] _comm;
    private readonly Func<int, int, CommandLineBytes?> _readCommandLine;
    private string? _commText;
    private bool _commandLineRead;
    private CommandLineBytes? _rawCommandLine;
    private CommandText? _commandLine;
    private IReadOnlyList<string>? _arguments;
    private ReadStatus? _exeStatus;
    private string _exe = "";
    private ReadStatus? _uidStatus;
    private uint _uid;
    private ReadStatus? _cgroupStatus;
    private readonly List<CgroupEntry> _cgroups = [];

    /// <param name="pid">As the procfs root lists it.</param>
    /// <param name="startTicks">Start time in clock ticks since boot.</param>
    /// <param name="comm">The raw bytes; not copied.</param>
    /// <param name="dirFd">The open directory of the process; the caller closes it.</param>
    /// <param name="readCommandLine">
    /// Returns the bytes of <c>cmdline</c> for a pid and its <paramref name="dirFd"/>, or null while they are not known. It is not read here:
    /// reading it waits for the lock of the process's memory map, which a stuck process may hold for minutes.
    /// </param>
    public ProcessInfo(int pid, ulong startTicks, byte[] comm, int dirFd, Func<int, int, CommandLineBytes?> readCommandLine)
    {
        Pid = pid;
        StartTicks = startTicks;
        _comm = comm;
        _dirFd = dirFd;
        _readCommandLine = readCommandLine;
    }

    public int Pid { get; }

    public ulong StartTicks { get; }

    /// <summary>Whether it is a kernel thread, whose comm may include its current work item: see <see cref="TaskName.Stable"/>.</summary>
    public bool KernelThread { get; init; }

    /// <summary>Whether its main thread has exited and others are running: <see cref="ProcStat.LeaderHasEnded"/>.</summary>
    public bool LeaderHasEnded { get; init; }

    /// <summary>Whether its command line was read and cut because it was too long.</summary>
    public bool CommandLineWasCut => _rawCommandLine is { WasCut: true };

    public ReadOnlySpan<byte> Comm => _comm;

    public string CommText => _commText ??= ProcText.Decode(_comm);

    /// <summary>The arguments joined by spaces; empty for kernel threads.</summary>
    /// <returns>False while it is not known.</returns>
    public bool TryGetCommandLine([NotNullWhen(true)] out CommandText? commandLine)
    {
        bool known = TryReadCommandLine(out CommandLineBytes? raw);
        commandLine = known ? _commandLine ??= new CommandText(raw) : null;
        return known;
    }

    /// <summary>The arguments, starting with the name of the program; none for kernel threads.</summary>
    /// <returns>False while they are not known.</returns>
    public bool TryGetArguments(out IReadOnlyList<string> arguments)
    {
        bool known = TryReadCommandLine(out CommandLineBytes? raw);
        arguments = known ? _arguments ??= ProcCmdline.Split(raw) : [];
        return known;
    }

    /// <summary>
    /// The path of the executable in the process's mount namespace, without the suffix that the kernel adds after the file was replaced, for
    /// example by a package update.
    /// </summary>
    /// <returns>
    /// <see cref="ReadStatus.Denied"/> without PTRACE_MODE_READ_FSCREDS (proc_pid_exe(5)), which requires the same user or CAP_SYS_PTRACE.
    /// <see cref="ReadStatus.Gone"/> also for a kernel thread, which has none.
    /// </returns>
    public ReadStatus GetExe(out string path)
    {
        _exeStatus ??= ReadExe();
        path = _exe;
        return _exeStatus.Value;
    }

    public ReadStatus GetEffectiveUid(out uint uid)
    {
        _uidStatus ??= ReadEffectiveUid();
        uid = _uid;
        return _uidStatus.Value;
    }

    /// <summary>The lines of <c>cgroup</c>; none unless <see cref="ReadStatus.Ok"/>. The list must not be changed.</summary>
    public ReadStatus GetCgroups(out List<CgroupEntry> entries)
    {
        _cgroupStatus ??= ReadCgroups();
        entries = _cgroups;
        return _cgroupStatus.Value;
    }

    /// <summary>The status of the read of <c>exe</c>, if there was one. A process without an executable is not a failure.</summary>
    public ReadStatus ExeStatus => _exeStatus is null or ReadStatus.Gone ? ReadStatus.Ok : _exeStatus.Value;

    /// <summary>The status of the read of <c>status</c>, if there was one.</summary>
    public ReadStatus UidStatus => _uidStatus ?? ReadStatus.Ok;

    /// <summary>Reads the text of <c>cgroup</c>, for a caller that compares it.</summary>
    public ReadStatus ReadCgroupText(Span<byte> buffer, out int length)
    {
        if (LeaderHasEnded)
            return ReadFile("/cgroup"u8, buffer, out length);
        length = 0;
        ReadStatus status = RawFile.Open(_dirFd, "cgroup"u8, out int file);
        if (status != ReadStatus.Ok)
            return status;
        // One read: the file has one record, and this is done for every watched process.
        status = RawFile.ReadAt(file, buffer, out length);
        RawFile.Close(file);
        return status;
    }

    /// <summary>Whether its lines are known.</summary>
    public bool HasReadCgroups => _cgroupStatus is not null;

    /// <summary>The status of the read of <c>cgroup</c>, if there was one.</summary>
    public ReadStatus CgroupStatus => _cgroupStatus ?? ReadStatus.Ok;

    private bool TryReadCommandLine(out CommandLineBytes raw)
    {
        if (!_commandLineRead)
        {
            _commandLineRead = true;
            _rawCommandLine = KernelThread ? CommandLineBytes.None : _readCommandLine(Pid, _dirFd);
        }
        raw = _rawCommandLine ?? CommandLineBytes.None;
        return _rawCommandLine is not null;
    }

    private ReadStatus ReadExe()
    {
        Span<byte> buffer = stackalloc byte[SmallFile];
        ReadStatus status = RawFile.ReadLink(_dirFd, "exe"u8, buffer, out int length);
        // Only an exited main thread has no executable; it may have exited after LeaderHasEnded was read.
        if (status == ReadStatus.Gone && !KernelThread)
            status = LiveThread.ReadLink(_dirFd, Pid, "/exe"u8, buffer, out length);
        if (status != ReadStatus.Ok)
            return status;
        _exe = ProcText.Decode(buffer[..length]);
        if (_exe.EndsWith(DeletedSuffix, StringComparison.Ordinal))
            _exe = _exe[..^DeletedSuffix.Length];
        return ReadStatus.Ok;
    }

    private ReadStatus ReadEffectiveUid()
    {
        Span<byte> buffer = stackalloc byte[SmallFile];
        ReadStatus status = ReadFile("/status"u8, buffer, out int length);
        if (status != ReadStatus.Ok)
            return status;
        if (!ProcStatus.TryParse(buffer[..length], out ProcStatus parsed))
            return ReadStatus.Malformed;
        _uid = parsed.EffectiveUid;
        return ReadStatus.Ok;
    }

    private ReadStatus ReadCgroups()
    {
        Span<byte> small = stackalloc byte[SmallFile];
        ReadStatus status = ReadFile("/cgroup"u8, small, out int length);
        if (status != ReadStatus.Ok)
            return status;
        if (length < small.Length)
            return ProcCgroup.TryParse(small[..length], _cgroups) ? ReadStatus.Ok : ReadStatus.Malformed;

        byte[] large = ArrayPool<byte>.Shared.Rent(LargeFile);
        status = ReadFile("/cgroup"u8, large, out length);
        if (status == ReadStatus.Ok && !ProcCgroup.TryParse(large.AsSpan(0, length), _cgroups))
            status = ReadStatus.Malformed;
        ArrayPool<byte>.Shared.Return(large);
        return status;
    }

    /// <summary>Reads a file of the process, from a running thread if the main thread has exited.</summary>
    /// <param name="suffix">Its name after a slash.</param>
    /// <param name="buffer">Receives its text.</param>
    /// <param name="length">How much of the buffer was filled.</param>
    private ReadStatus ReadFile(ReadOnlySpan<byte> suffix, Span<byte> buffer, out int length)
    {
        if (LeaderHasEnded && LiveThread.ReadOnce(_dirFd, Pid, suffix, buffer, out length) is var status and not ReadStatus.Gone)
            return status;
        // The other threads have exited as well: only the main thread's files are left.
        return RawFile.ReadOnce(_dirFd, suffix[1..], buffer, out length);
    }
}
