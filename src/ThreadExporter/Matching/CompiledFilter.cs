using System.Collections.Immutable;
using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Procfs;

namespace ThreadExporter.Matching;

/// <summary>Whether a process matches; <see cref="Unknown"/>: something could not be read yet, so match it again soon.</summary>
internal enum MatchOutcome
{
    No,
    Yes,
    Unknown,
}

/// <summary>One <c>[[filter]]</c>, compiled. A filter without any key matches nothing.</summary>
internal sealed class CompiledFilter
{
    private readonly ImmutableArray<CommPattern> _matchNames;
    private readonly ImmutableArray<CommPattern> _comm;
    private readonly ImmutableArray<Glob> _exe;
    private readonly ImmutableArray<Glob> _unit;
    private readonly ImmutableArray<Glob> _cgroup;
    private readonly PidFile? _pidFile;
    private readonly bool _hasKey;
    private readonly RecurringWarning _exeWarning;
    private readonly RecurringWarning _pidFileWarning;
    private uint[] _uids = [];
    private int _exeDenied;
    private int _exeDeniedPid;
    private bool _cutLogged;

    public CompiledFilter(int index, FilterConfig config, TimeProvider time)
    {
        Index = index;
        Config = config;
        Threads = new ThreadSelection(config.Threads);
        _matchNames = CommPattern.CompileAll(config.MatchNames);
        _comm = CommPattern.CompileAll(config.Comm);
        _exe = Glob.CompileAll(config.Exe);
        _unit = CgroupUnits.CompileUnitGlobs(config.Unit);
        _cgroup = Glob.CompileAll(config.Cgroup);
        _pidFile = config.PidFile is null ? null : new PidFile(config.PidFile, time);
        _exeWarning = new RecurringWarning(time);
        _pidFileWarning = new RecurringWarning(time);
        _hasKey = UsesShortForm || config.Pid.Length > 0 || _comm.Length > 0 || _pidFile is not null || config.User.Length > 0
            || _unit.Length > 0 || _cgroup.Length > 0 || _exe.Length > 0 || config.Cmdline is not null;
    }

    /// <summary>The position of the filter in the file: lower ones are tried first.</summary>
    public int Index { get; }

    public FilterConfig Config { get; }

    public ThreadSelection Threads { get; }

    public string Name => Config.Name;

    /// <summary>The processes in the last pass whose <c>exe</c> was denied: reading it requires the same user or CAP_SYS_PTRACE.</summary>
    public int ExeDenied { get; private set; }

    /// <summary>The state of the pidfile in the last pass; null without a pidfile.</summary>
    public PidFileState? StateOfPidFile => _pidFile?.State;

    /// <summary>The process with the pid in the pidfile is running, but started after the file was written.</summary>
    public bool PidFileIsStale => _pidFile?.IsStale == true;

    private bool UsesShortForm => Config.MatchNames.Length > 0 || Config.MatchPids.Length > 0;

    public override string ToString() => Name;

    /// <summary>Sets the uids of the users in key <c>user</c>.</summary>
    internal void SetUsers(uint[] uids) => _uids = uids;

    /// <summary>Counts a running process whose <c>exe</c> was denied when it was last matched, for <see cref="EndPass"/>.</summary>
    internal void CountExeDenied(int pid)
    {
        if (_exeDenied++ == 0)
            _exeDeniedPid = pid;
    }

    /// <summary>Updates the state of the filter to the pass that ends, and adds warnings about new problems.</summary>
    /// <param name="warnings">Receives the warnings.</param>
    /// <param name="isListed">Whether a process with that pid is running.</param>
    internal void EndPass(List<string> warnings, Predicate<int> isListed)
    {
        (ExeDenied, _exeDenied) = (_exeDenied, 0);
        if (ExeDenied == 0)
            _exeWarning.End();
        else if (_exeWarning.Start())
            warnings.Add($"filter \"{Name}\": cannot read exe of pid {_exeDeniedPid}: requires the same user or CAP_SYS_PTRACE");
        // Also when no process was matched with the pidfile in this pass.
        if (_pidFile is not null && !isListed(_pidFile.Read()))
            _pidFile.ProcessEnded();
        if (StateOfPidFile is not (PidFileState.Denied or PidFileState.Unreadable))
            _pidFileWarning.End();
        else if (_pidFileWarning.Start())
        {
            string reason = StateOfPidFile == PidFileState.Denied ? "permission denied" : "not a readable regular file";
            warnings.Add($"filter \"{Name}\": cannot read pidfile {_pidFile!.Path}: {reason}; the filter matches nothing");
        }
    }

    /// <summary>Whether the process matches the filter's own keys, cheapest keys first. <see cref="Matcher"/> handles descendants.</summary>
    /// <param name="process">The process.</param>
    /// <param name="warnings">Receives messages for the log.</param>
    /// <param name="exeDenied">Whether it does not match because its <c>exe</c> may not be read.</param>
    internal MatchOutcome Matches(ProcessInfo process, List<string> warnings, out bool exeDenied)
    {
        exeDenied = false;
        if (!_hasKey || !MatchesPidAndComm(process))
            return MatchOutcome.No;
        if (MatchesPidFile(process, warnings) is var pidFile && pidFile != MatchOutcome.Yes)
            return pidFile;
        if (MatchesUser(process) is var user && user != MatchOutcome.Yes)
            return user;
        if (MatchesCgroup(process) is var cgroup && cgroup != MatchOutcome.Yes)
            return cgroup;
        if (!MatchesExe(process, out exeDenied))
            return MatchOutcome.No;
        if (Config.Cmdline is not { } regex)
            return MatchOutcome.Yes;
        if (!process.TryGetCommandLine(out CommandText? commandLine))
            return MatchOutcome.Unknown;
        if (TakeCutWarning(process) is { } warning)
            warnings.Add(warning);
        return commandLine.IsMatch(regex) ? MatchOutcome.Yes : MatchOutcome.No;
    }

    /// <summary>
    /// Whether a process that has exited matches. Only its name and its real user are known, so a filter with any other key does not match it.
    /// </summary>
    internal bool MatchesExited(byte[] comm, uint realUid)
    {
        if (!_hasKey || Config.Pid.Length > 0 || _pidFile is not null || _unit.Length > 0 || _cgroup.Length > 0 || _exe.Length > 0 || Config.Cmdline is not null)
            return false;
        string text = ProcText.Decode(comm);
        return (!UsesShortForm || _matchNames.Any(p => p.Matches(comm, text)))
            && (_comm.Length == 0 || _comm.Any(p => p.Matches(comm, text)))
            && (Config.User.Length == 0 || Array.IndexOf(_uids, realUid) >= 0);
    }

    /// <summary>A warning, once per filter, about a command line of which a part is ignored; null: none.</summary>
    internal string? TakeCutWarning(ProcessInfo process)
    {
        if (_cutLogged || !process.CommandLineWasCut)
            return null;
        _cutLogged = true;
        return $"filter \"{Name}\": the command line of pid {process.Pid} is longer than 64 KiB: only the first and last 32 KiB are used"
            + " (logged once per filter)";
    }

    private bool MatchesPidAndComm(ProcessInfo process)
    {
        if (Config.Pid.Length > 0 && !Config.Pid.Contains(process.Pid))
            return false;
        if (UsesShortForm && !Config.MatchPids.Contains(process.Pid) && !MatchesAny(_matchNames, process))
            return false;
        return _comm.Length == 0 || MatchesAny(_comm, process);
    }

    private static bool MatchesAny(ImmutableArray<CommPattern> patterns, ProcessInfo process)
    {
        foreach (CommPattern pattern in patterns)
        {
            if (pattern.Matches(process.Comm, process.CommText))
                return true;
        }
        return false;
    }

    private MatchOutcome MatchesPidFile(ProcessInfo process, List<string> warnings)
    {
        if (_pidFile is null)
            return MatchOutcome.Yes;
        bool matches = _pidFile.Read() == process.Pid;
        if (!matches || _pidFile.Status != ReadStatus.Ok)
            return ToOutcome(_pidFile.Status, matches);
        bool wasStale = _pidFile.IsStale;
        if (!_pidFile.IsOlderThan(process.StartTicks))
            return MatchOutcome.Yes;
        if (!wasStale)
        {
            warnings.Add($"filter \"{Name}\": pid {process.Pid} started after pidfile {_pidFile.Path} was written: "
                + "it is a different process and does not match");
        }
        return MatchOutcome.No;
    }

    private MatchOutcome MatchesUser(ProcessInfo process)
    {
        if (Config.User.Length == 0)
            return MatchOutcome.Yes;
        uint[] uids = _uids;
        if (uids.Length == 0)
            return MatchOutcome.No;
        return ToOutcome(process.GetEffectiveUid(out uint uid), Array.IndexOf(uids, uid) >= 0);
    }

    private MatchOutcome MatchesCgroup(ProcessInfo process)
    {
        if (_unit.Length == 0 && _cgroup.Length == 0)
            return MatchOutcome.Yes;
        ReadStatus status = process.GetCgroups(out List<CgroupEntry> entries);
        return ToOutcome(status, (_unit.Length == 0 || CgroupUnits.MatchesUnit(_unit, entries))
            && (_cgroup.Length == 0 || CgroupUnits.MatchesPath(_cgroup, entries)));
    }

    private bool MatchesExe(ProcessInfo process, out bool denied)
    {
        denied = false;
        if (_exe.Length == 0)
            return true;
        ReadStatus status = process.GetExe(out string path);
        denied = status == ReadStatus.Denied;
        return status == ReadStatus.Ok && Glob.MatchesAny(_exe, path);
    }

    /// <summary>Without a free descriptor a read says nothing about the process. After any other failure the process does not match.</summary>
    private static MatchOutcome ToOutcome(ReadStatus status, bool matches) => status switch
    {
        ReadStatus.Ok => matches ? MatchOutcome.Yes : MatchOutcome.No,
        ReadStatus.NoDescriptors => MatchOutcome.Unknown,
        _ => MatchOutcome.No,
    };
}
