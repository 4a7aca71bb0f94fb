using ThreadExporter.Linux;

namespace ThreadExporter.Matching;

/// <summary>Looks up a user. It may use the network and hang for minutes.</summary>
internal delegate UserLookupResult UserLookup(string nameOrUid);

/// <summary>What is known about a user in a filter.</summary>
/// <param name="Uid">The last uid that a lookup has found; null: none, or a later lookup found that the user does not exist.</param>
/// <param name="IsAbsent">The last lookup found that the user does not exist.</param>
/// <param name="HasNoResponse">The last lookup has not finished, or has failed.</param>
internal readonly record struct UserState(uint? Uid, bool IsAbsent, bool HasNoResponse);

/// <summary>
/// The users in filters. Lookups run on their own threads, and callers wait for them at most for a given time. A result is kept, also across
/// reloads, until a later lookup has another result. Thread-safe.
/// </summary>
internal sealed class UserDirectory(UserLookup? lookUp = null, TimeProvider? time = null)
{
    /// <summary>How often a user is looked up again that does not exist or whose lookup failed.</summary>
    public static readonly TimeSpan RetryInterval = TimeSpan.FromMinutes(1);

    /// <summary>How often a known user is looked up again: it may have been deleted and created with another uid.</summary>
    public static readonly TimeSpan RecheckInterval = TimeSpan.FromMinutes(10);

    /// <summary>A lookup that takes longer is logged as a failure of the user directory.</summary>
    public static readonly TimeSpan Slow = TimeSpan.FromSeconds(5);

    /// <summary>Concurrent lookups. More than one, so that a server that hangs does not delay the lookup of local users.</summary>
    public const int MaxThreads = 4;

    private readonly UserLookup _lookUp = lookUp ?? Users.LookUp;
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Lock _lock = new();
    private readonly Queue<NamedUser> _queue = [];
    private Dictionary<string, NamedUser> _users = [];
    private List<string> _warnings = [];
    private List<string> _recoveries = [];
    private int _threads;
    private int _busy;
    private int _version;

    /// <summary>Changes whenever the uid of a user changes.</summary>
    public int Version => Volatile.Read(ref _version);

    /// <summary>No lookup is running or queued.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_lock)
                return _busy == 0 && _queue.Count == 0;
        }
    }

    /// <summary>
    /// Sets the users of a new configuration, forgets all others, and looks them up. Waits for the lookups of unknown users, but not for
    /// lookups that were already running.
    /// </summary>
    /// <param name="named">Each user with the name of its filter.</param>
    /// <param name="timeout">The longest time to wait.</param>
    public void Use(IEnumerable<(string User, string Filter)> named, TimeSpan timeout)
    {
        List<Task> unknown = new();
        lock (_lock)
        {
            Dictionary<string, NamedUser> users = new(StringComparer.Ordinal);
            foreach (IGrouping<string, string> group in named.GroupBy(n => n.User, n => n.Filter, StringComparer.Ordinal))
            {
                (string name, string[] filters) = (group.Key, [.. group.Distinct()]);
                NamedUser user = users[name] = _users.GetValueOrDefault(name) ?? new NamedUser(name, _time);
                user.Filters = (filters.Length == 1 ? "filter " : "filters ") + string.Join(", ", filters.Select(f => $"\"{f}\""));
                if (!user.IsRequested && LookUp(user) is { IsCompleted: false } lookup && user.Uid is null)
                    unknown.Add(lookup);
            }
            _users = users;
        }
        if (unknown.Count > 0)
            Task.WaitAll([.. unknown], timeout);
    }

    /// <summary>Starts the lookups that are due. Does not wait.</summary>
    public void LookUpDue()
    {
        lock (_lock)
        {
            foreach (NamedUser user in _users.Values)
            {
                TimeSpan interval = user.Uid is null || user.LookupFailure.IsActive ? RetryInterval : RecheckInterval;
                if (!user.IsRequested && _time.GetElapsedTime(user.RequestedAt) >= interval)
                    LookUp(user);
            }
            StartThreads();
        }
    }

    public UserState StateOf(string name)
    {
        lock (_lock)
        {
            if (!_users.TryGetValue(name, out NamedUser? user))
                return default;
            // A repeated lookup of a known user is reported only when it is slow.
            bool unanswered = user.LookupFailure.IsActive || (user.Uid is null && !user.Absence.IsActive) || IsSlow(user);
            return new UserState(user.Uid, user.Absence.IsActive, unanswered);
        }
    }

    /// <summary>The warnings to log, one line each.</summary>
    public IReadOnlyList<string> TakeWarnings()
    {
        lock (_lock)
        {
            foreach (NamedUser user in _users.Values.Where(IsSlow))
                ReportFailure(user, $"no response for {Slow.TotalSeconds} s");
            return Take(ref _warnings);
        }
    }

    /// <summary>What to log as information, one line each: the end of what a warning was about, or a changed uid.</summary>
    public IReadOnlyList<string> TakeRecoveries()
    {
        lock (_lock)
            return Take(ref _recoveries);
    }

    private static List<string> Take(ref List<string> lines)
    {
        List<string> taken = lines;
        if (taken.Count > 0)
            lines = [];
        return taken;
    }

    private bool IsSlow(NamedUser user) => user.IsRequested && _time.GetElapsedTime(user.RequestedAt) >= Slow;

    private Task LookUp(NamedUser user)
    {
        user.RequestedAt = _time.GetTimestamp();
        if (Users.NeedsNoLookup(user.Name, out UserLookupResult result))
        {
            user.Uid = result.Status == UserStatus.Found ? result.Uid : null;
            return Task.CompletedTask;
        }
        user.Completion = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _queue.Enqueue(user);
        StartThreads();
        return user.Completion.Task;
    }

    private void StartThreads()
    {
        while (_threads < MaxThreads && _threads - _busy < _queue.Count)
        {
            // A background thread, so that a lookup that hangs does not keep the process from exiting.
            Thread thread = new(Work) { IsBackground = true, Name = "users" };
            try
            {
                thread.Start();
            }
            // The runtime throws this when there is no descriptor or no memory for a thread. The next call tries again.
            catch (OutOfMemoryException)
            {
                return;
            }
            _threads++;
        }
    }

    private void Work()
    {
        while (true)
        {
            NamedUser? user;
            lock (_lock)
            {
                if (!_queue.TryDequeue(out user))
                {
                    _threads--;
                    return;
                }
                _busy++;
            }
            UserLookupResult result;
            try
            {
                result = _lookUp(user.Name);
            }
            // For example out of memory: it must not terminate the daemon.
            catch (Exception e)
            {
                result = UserLookupResult.NoResponse(e.Message);
            }
            TaskCompletionSource finished;
            lock (_lock)
            {
                _busy--;
                finished = user.Completion!;
                user.Completion = null;
                Accept(user, result);
            }
            finished.SetResult();
        }
    }

    private void Accept(NamedUser user, UserLookupResult result)
    {
        // The configuration no longer has this user.
        if (!ReferenceEquals(_users.GetValueOrDefault(user.Name), user))
            return;
        if (result.Status == UserStatus.NoResponse)
        {
            ReportFailure(user, result.Reason);
            return;
        }
        uint? before = user.Uid;
        user.Uid = result.Status == UserStatus.Found ? result.Uid : null;
        if (user.Uid != before)
            _version++;
        bool recovered = user.LookupFailure.End();
        if (user.Uid is null)
        {
            if (user.Absence.Start())
                _warnings.Add($"{user.Filters}: unknown user \"{user.Name}\"; the user matches no process until it exists");
            else if (recovered)
                _recoveries.Add($"{user.Filters}: lookup of user \"{user.Name}\" succeeded again: unknown user");
            return;
        }
        if (user.Absence.End())
            _recoveries.Add($"{user.Filters}: user \"{user.Name}\" now exists, with uid {user.Uid}");
        else if (recovered)
            _recoveries.Add($"{user.Filters}: lookup of user \"{user.Name}\" succeeded again: uid {user.Uid}");
        else if (before is not null && user.Uid != before)
            _recoveries.Add($"{user.Filters}: the uid of user \"{user.Name}\" changed from {before} to {user.Uid}");
    }

    private void ReportFailure(NamedUser user, string reason)
    {
        if (!user.LookupFailure.Start())
            return;
        string effect = user.Uid is { } uid ? $"keeping uid {uid}" : "the user matches no process until a lookup succeeds";
        _warnings.Add($"{user.Filters}: lookup of user \"{user.Name}\" failed ({reason}); {effect}");
    }

    private sealed class NamedUser(string name, TimeProvider time)
    {
        public string Name => name;

        /// <summary>For messages: the filters that have the user.</summary>
        public string Filters { get; set; } = "";

        public uint? Uid { get; set; }

        public long RequestedAt { get; set; }

        /// <summary>Set while a lookup is queued or running; completed when the lookup has finished.</summary>
        public TaskCompletionSource? Completion { get; set; }

        public bool IsRequested => Completion is not null;

        /// <summary>The user does not exist.</summary>
        public RecurringWarning Absence { get; } = new(time);

        /// <summary>The lookup failed or is slow.</summary>
        public RecurringWarning LookupFailure { get; } = new(time);
    }
}
