using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using ThreadExporter.Linux;
using ThreadExporter.Procfs;

namespace ThreadExporter.Matching;

/// <summary>
/// What rules may ask about one process, read from its /proc directory when first asked, and once. For one thread, and
/// for as long as the directory's descriptor stays open.
/// </summary>
internal sealed class ProcessInfo
{
    /// <summary>Of <c>status</c> no more than line <c>Uid</c> is wanted, which stands before the lists that may be long.</summary>
    private const int SmallFile = 4096;
    /// <summary>A cgroup path has at most PATH_MAX bytes, and v1 has a dozen hierarchies.</summary>
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
    /// <param name="ppid">Likewise.</param>
    /// <param name="startTicks">In clock ticks after boot.</param>
    /// <param name="comm">The raw bytes, kept and not copied.</param>
    /// <param name="dirFd">The open directory of the process; the caller closes it.</param>
    /// <param name="readCommandLine">
    /// From pid and <paramref name="dirFd"/> the bytes of <c>cmdline</c>, or null while they are not known. Reading that
    /// file waits for the process's memory map lock, which a stuck process may hold for minutes: so it is not read here.
    /// </param>
    public ProcessInfo(int pid, int ppid, ulong startTicks, byte[] comm, int dirFd, Func<int, int, CommandLineBytes?> readCommandLine)
    {
        Pid = pid;
        Ppid = ppid;
        StartTicks = startTicks;
        _comm = comm;
        _dirFd = dirFd;
        _readCommandLine = readCommandLine;
    }

    public int Pid { get; }

    public int Ppid { get; }

    public ulong StartTicks { get; }

    /// <summary>Whether it is a thread of the kernel, whose comm may say what it works on: see <see cref="TaskName.Stable"/>.</summary>
    public bool KernelThread { get; init; }

    /// <summary>Whether its leading thread has ended and others live on: <see cref="ProcStat.LeaderHasEnded"/>.</summary>
    public bool LeaderHasEnded { get; init; }

    /// <summary>Whether its command line was read and was too long to keep all of it.</summary>
    public bool CommandLineWasCut => _rawCommandLine is { WasCut: true };

    public ReadOnlySpan<byte> Comm => _comm;

    public string CommText => _commText ??= ProcText.Decode(_comm);

    /// <summary>The arguments with a space between them; empty for kernel threads.</summary>
    /// <returns>False while it is not known.</returns>
    public bool TryGetCommandLine([NotNullWhen(true)] out CommandText? commandLine)
    {
        bool known = TryReadCommandLine(out CommandLineBytes? raw);
        commandLine = known ? _commandLine ??= new CommandText(raw) : null;
        return known;
    }

    /// <summary>The arguments, the program's own name first; none for kernel threads.</summary>
    /// <returns>False while they are not known.</returns>
    public bool TryGetArguments(out IReadOnlyList<string> arguments)
    {
        bool known = TryReadCommandLine(out CommandLineBytes? raw);
        arguments = known ? _arguments ??= ProcCmdline.Split(raw) : [];
        return known;
    }

    /// <summary>
    /// The path of the executable in the process's own mount namespace, without the suffix that the kernel adds when the
    /// file was replaced, as every package update does.
    /// </summary>
    /// <returns>
    /// <see cref="ReadStatus.Denied"/> without PTRACE_MODE_READ_FSCREDS (proc_pid_exe(5)): the same user or CAP_SYS_PTRACE.
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

    /// <summary>The lines of <c>cgroup</c>; none unless <see cref="ReadStatus.Ok"/>. The list is not to be changed.</summary>
    public ReadStatus GetCgroups(out List<CgroupEntry> entries)
    {
        _cgroupStatus ??= ReadCgroups();
        entries = _cgroups;
        return _cgroupStatus.Value;
    }

    /// <summary>How the read of <c>exe</c> ended if it was made. A process that has none is no failure.</summary>
    public ReadStatus ExeStatus => _exeStatus is null or ReadStatus.Gone ? ReadStatus.Ok : _exeStatus.Value;

    /// <summary>How the read of <c>status</c> ended if it was made.</summary>
    public ReadStatus UidStatus => _uidStatus ?? ReadStatus.Ok;

    /// <summary>How the read of <c>cgroup</c> ended if it was made.</summary>
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
        // Only the leader of a process can be without one, after its end; it may have come after LeaderHasEnded was read.
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

    /// <summary>A file of the process, from a living thread where the leader has ended.</summary>
    /// <param name="suffix">Its name after a slash.</param>
    /// <param name="buffer">For its text.</param>
    /// <param name="length">How much of the buffer was filled.</param>
    private ReadStatus ReadFile(ReadOnlySpan<byte> suffix, Span<byte> buffer, out int length)
    {
        if (LeaderHasEnded && LiveThread.ReadOnce(_dirFd, Pid, suffix, buffer, out length) is var status and not ReadStatus.Gone)
            return status;
        // The others have ended as well: what is left of the process is the leader's.
        return RawFile.ReadOnce(_dirFd, suffix[1..], buffer, out length);
    }
}
