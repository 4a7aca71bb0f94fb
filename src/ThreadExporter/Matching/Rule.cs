using System.Collections.Immutable;
using ThreadExporter.Configuration;
using ThreadExporter.Procfs;

namespace ThreadExporter.Matching;

/// <summary>Whether a process matches: <see cref="Unknown"/> while a fact cannot be had, so ask again soon.</summary>
internal enum Verdict
{
    No,
    Yes,
    Unknown,
}

/// <summary>One <c>[[filter]]</c>, compiled. A rule without any key matches nothing.</summary>
internal sealed class Rule
{
    private readonly ImmutableArray<CommPattern> _matchNames;
    private readonly ImmutableArray<CommPattern> _comm;
    private readonly ImmutableArray<Glob> _exe;
    private readonly ImmutableArray<Glob> _unit;
    private readonly ImmutableArray<Glob> _cgroup;
    private readonly PidFile? _pidFile;
    private readonly bool _hasKey;
    private bool _exeDenialTold;
    private bool _pidFileDenialTold;
    private bool _cutTold;

    /// <summary>Replaced as a whole, because names are looked up off the thread that matches.</summary>
    private volatile uint[] _uids = [];

    public Rule(int index, FilterConfig config, TimeProvider time)
    {
        Index = index;
        Config = config;
        Threads = new ThreadChoice(config.Threads);
        _matchNames = CommPattern.CompileAll(config.MatchNames);
        _comm = CommPattern.CompileAll(config.Comm);
        _exe = Glob.CompileAll(config.Exe);
        _unit = CgroupUnits.CompileUnitGlobs(config.Unit);
        _cgroup = Glob.CompileAll(config.Cgroup);
        _pidFile = config.PidFile is null ? null : new PidFile(config.PidFile, time);
        _hasKey = UsesShortForm || config.Pid.Length > 0 || _comm.Length > 0 || _pidFile is not null || config.User.Length > 0
            || _unit.Length > 0 || _cgroup.Length > 0 || _exe.Length > 0 || config.Cmdline is not null;
    }

    /// <summary>The position among the rules: a lower one goes first.</summary>
    public int Index { get; }

    public FilterConfig Config { get; }

    public ThreadChoice Threads { get; }

    public string Name => Config.Name;

    /// <summary>An executable's path was asked for in vain: it needs the same user or CAP_SYS_PTRACE.</summary>
    public bool ExeDenied => _exeDenialTold;

    public bool PidFileUnreadable => _pidFileDenialTold;

    /// <summary>The process whose number the pidfile holds started after the file was written.</summary>
    public bool PidFileIsStale => _pidFile?.IsStale == true;

    /// <summary>Some of its users do not exist (yet).</summary>
    public bool LacksUsers => _uids.Length < Config.User.Length;

    private bool UsesShortForm => Config.MatchNames.Length > 0 || Config.MatchPids.Length > 0;

    public override string ToString() => Name;

    /// <summary>The uids that key <c>user</c> stands for.</summary>
    internal void SetUsers(uint[] uids) => _uids = uids;

    /// <summary>Whether the process matches the rule's own keys; descent is the <see cref="Matcher"/>'s. Cheapest keys first.</summary>
    internal Verdict Matches(ProcessFacts facts, List<string> warnings)
    {
        if (!_hasKey || !MatchesPidAndComm(facts) || !MatchesPidFile(facts, warnings))
            return Verdict.No;
        if (MatchesUser(facts) is var user && user != Verdict.Yes)
            return user;
        if (MatchesCgroup(facts) is var cgroup && cgroup != Verdict.Yes)
            return cgroup;
        if (!MatchesExe(facts, warnings))
            return Verdict.No;
        if (Config.Cmdline is not { } regex)
            return Verdict.Yes;
        if (!facts.TryGetCommandLine(out var commandLine))
            return Verdict.Unknown;
        if (TakeCutWarning(facts) is { } warning)
            warnings.Add(warning);
        return commandLine.IsMatch(regex) ? Verdict.Yes : Verdict.No;
    }

    /// <summary>What to tell, once per filter, of a command line of which a part is not looked at; null: nothing.</summary>
    internal string? TakeCutWarning(ProcessFacts facts)
    {
        if (_cutTold || !facts.CommandLineWasCut)
            return null;
        _cutTold = true;
        return $"filter \"{Name}\": the command line of pid {facts.Pid} is longer than 64 KiB: only its first and last 32 KiB are looked at (told once per filter)";
    }

    private bool MatchesPidAndComm(ProcessFacts facts)
    {
        if (Config.Pid.Length > 0 && !Config.Pid.Contains(facts.Pid))
            return false;
        if (UsesShortForm && !Config.MatchPids.Contains(facts.Pid) && !MatchesAny(_matchNames, facts))
            return false;
        return _comm.Length == 0 || MatchesAny(_comm, facts);
    }

    private static bool MatchesAny(ImmutableArray<CommPattern> patterns, ProcessFacts facts)
    {
        foreach (var pattern in patterns)
        {
            if (pattern.Matches(facts.Comm, facts.CommText))
                return true;
        }
        return false;
    }

    private bool MatchesPidFile(ProcessFacts facts, List<string> warnings)
    {
        if (_pidFile is null)
            return true;
        var matches = _pidFile.Read() == facts.Pid;
        if (_pidFile.Status is ReadStatus.Denied or ReadStatus.Other && !_pidFileDenialTold)
        {
            _pidFileDenialTold = true;
            warnings.Add($"filter \"{Name}\": pidfile {_pidFile.Path} cannot be read, so the rule matches nothing");
        }
        if (!matches)
            return false;
        var known = _pidFile.IsStale;
        if (!_pidFile.IsOlderThan(facts.StartTicks))
            return true;
        if (!known)
            warnings.Add($"filter \"{Name}\": pid {facts.Pid} started after pidfile {_pidFile.Path} was written, so it is another process and does not match");
        return false;
    }

    private Verdict MatchesUser(ProcessFacts facts)
    {
        if (Config.User.Length == 0)
            return Verdict.Yes;
        var uids = _uids;
        if (uids.Length == 0)
            return Verdict.No;
        return Judge(facts.GetEffectiveUid(out var uid), Array.IndexOf(uids, uid) >= 0);
    }

    private Verdict MatchesCgroup(ProcessFacts facts)
    {
        if (_unit.Length == 0 && _cgroup.Length == 0)
            return Verdict.Yes;
        var status = facts.GetCgroups(out var entries);
        return Judge(status, (_unit.Length == 0 || CgroupUnits.MatchesUnit(_unit, entries))
            && (_cgroup.Length == 0 || CgroupUnits.MatchesPath(_cgroup, entries)));
    }

    private bool MatchesExe(ProcessFacts facts, List<string> warnings)
    {
        if (_exe.Length == 0)
            return true;
        var status = facts.GetExe(out var path);
        if (status == ReadStatus.Denied && !_exeDenialTold)
        {
            _exeDenialTold = true;
            warnings.Add($"filter \"{Name}\": exe of pid {facts.Pid} cannot be read: that needs the same user or CAP_SYS_PTRACE");
        }
        return status == ReadStatus.Ok && Glob.MatchesAny(_exe, path);
    }

    /// <summary>Without a free descriptor the read says nothing about the process; after any other failure it cannot match.</summary>
    private static Verdict Judge(ReadStatus status, bool matches) => status switch
    {
        ReadStatus.Ok => matches ? Verdict.Yes : Verdict.No,
        ReadStatus.NoDescriptors => Verdict.Unknown,
        _ => Verdict.No,
    };
}
