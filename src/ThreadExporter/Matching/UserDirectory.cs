using ThreadExporter.Linux;

namespace ThreadExporter.Matching;

/// <summary>Looks up a user. It may ask the network and hang for minutes.</summary>
internal delegate UserLookupResult UserLookup(string nameOrUid);

/// <summary>What is known of a user that a filter names.</summary>
/// <param name="Uid">The last uid that a lookup has found; null: none, or a later lookup has answered that there is no such user.</param>
/// <param name="IsAbsent">The last answer was that there is no such user.</param>
/// <param name="HasNoResponse">The last lookup has not been answered, or has failed.</param>
internal readonly record struct UserState(uint? Uid, bool IsAbsent, bool HasNoResponse);

/// <summary>
/// The users that filters name. Lookups run on threads of their own, and nobody waits longer for them than they say; what is
/// known stays known, also across reloads, until a lookup has answered otherwise. Thread-safe.
/// </summary>
internal sealed class UserDirectory(UserLookup? lookUp = null, TimeProvider? time = null)
{
    /// <summary>How often a user is looked up again that does not exist or about which there was no answer.</summary>
    public static readonly TimeSpan RetryInterval = TimeSpan.FromMinutes(1);

    /// <summary>How often a user that is known is looked up again: it may have been deleted and created with another uid.</summary>
    public static readonly TimeSpan RecheckInterval = TimeSpan.FromMinutes(10);

    /// <summary>A lookup that takes longer is a failure of the user directory, to be logged.</summary>
    public static readonly TimeSpan Slow = TimeSpan.FromSeconds(5);

    /// <summary>Lookups that run at one time. More than one, so that a user of a server that hangs does not hold up local users.</summary>
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

    /// <summary>Another number: some user has another uid than before.</summary>
    public int Version => Volatile.Read(ref _version);

    /// <summary>No lookup runs or waits to be started.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_lock)
                return _busy == 0 && _queue.Count == 0;
        }
    }

    /// <summary>
    /// Takes the users of a new configuration, forgets those that it does not name, and looks all of them up. Waits for those
    /// that are not known, but not for lookups that hang since earlier.
    /// </summary>
    /// <param name="named">Each user with the name of the filter that names it.</param>
    /// <param name="timeout">How long to wait at most.</param>
    public void Use(IEnumerable<(string User, string Filter)> named, TimeSpan timeout)
    {
        List<Task> unknown = new();
        lock (_lock)
        {
            Dictionary<string, NamedUser> users = new(StringComparer.Ordinal);
            foreach ((string name, string[] filters) in named.GroupBy(n => n.User, n => n.Filter, StringComparer.Ordinal).Select(g => (g.Key, g.Distinct().ToArray())))
            {
                NamedUser user = users[name] = _users.GetValueOrDefault(name) ?? new NamedUser(name, _time);
                user.Filters = (filters.Length == 1 ? "filter " : "filters ") + string.Join(", ", filters.Select(f => $"\"{f}\""));
                if (!user.IsRequested && LookUp(user) is { IsCompleted: false } result && user.Uid is null)
                    unknown.Add(result);
            }
            _users = users;
        }
        if (unknown.Count > 0)
            Task.WaitAll([.. unknown], timeout);
    }

    /// <summary>Looks up the users that are due again. Does not wait.</summary>
    public void LookUpDue()
    {
        lock (_lock)
        {
            foreach (NamedUser user in _users.Values)
            {
                if (!user.IsRequested && _time.GetElapsedTime(user.RequestedAt) >= (user.Uid is null || user.Silence.IsActive ? RetryInterval : RecheckInterval))
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
            // A known user that is only being looked up again is not worth a word before it takes long.
            bool unanswered = user.Silence.IsActive || (user.Uid is null && !user.Absence.IsActive) || IsSlow(user);
            return new UserState(user.Uid, user.Absence.IsActive, unanswered);
        }
    }

    /// <summary>What to log as warnings, one line each.</summary>
    public IReadOnlyList<string> TakeWarnings()
    {
        lock (_lock)
        {
            foreach (NamedUser user in _users.Values.Where(IsSlow))
                NoResponse(user, $"it has not answered for {Slow.TotalSeconds} s");
            return Take(ref _warnings);
        }
    }

    /// <summary>What to log as information, one line each: what a warning was about has ended, or a user has another uid.</summary>
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
        user.IsAnswered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _queue.Enqueue(user);
        StartThreads();
        return user.IsAnswered.Task;
    }

    private void StartThreads()
    {
        while (_threads < MaxThreads && _threads - _busy < _queue.Count)
        {
            // In the background, so that a lookup that hangs does not keep the process from ending.
            Thread thread = new(Work) { IsBackground = true, Name = "users" };
            try
            {
                thread.Start();
            }
            // So the runtime says that there is no descriptor or no memory for a thread. The next call tries again.
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
            // Out of memory, say: it must not end the daemon.
            catch (Exception e)
            {
                result = UserLookupResult.NoResponse(e.Message);
            }
            TaskCompletionSource answered;
            lock (_lock)
            {
                _busy--;
                answered = user.IsAnswered!;
                user.IsAnswered = null;
                Accept(user, result);
            }
            answered.SetResult();
        }
    }

    private void Accept(NamedUser user, UserLookupResult result)
    {
        // No configuration names it any more.
        if (!ReferenceEquals(_users.GetValueOrDefault(user.Name), user))
            return;
        if (result.Status == UserStatus.NoResponse)
        {
            NoResponse(user, result.Reason);
            return;
        }
        uint? before = user.Uid;
        user.Uid = result.Status == UserStatus.Found ? result.Uid : null;
        if (user.Uid != before)
            _version++;
        bool answersAgain = user.Silence.End();
        if (user.Uid is null)
        {
            if (user.Absence.Start())
                _warnings.Add($"{user.Filters}: user \"{user.Name}\" does not exist; until it does, it matches no process");
            else if (answersAgain)
                _recoveries.Add($"{user.Filters}: the user directory answers again: user \"{user.Name}\" does not exist");
            return;
        }
        if (user.Absence.End())
            _recoveries.Add($"{user.Filters}: user \"{user.Name}\" exists now, with uid {user.Uid}");
        else if (answersAgain)
            _recoveries.Add($"{user.Filters}: the user directory answers again for user \"{user.Name}\": uid {user.Uid}");
        else if (before is not null && user.Uid != before)
            _recoveries.Add($"{user.Filters}: user \"{user.Name}\" has uid {user.Uid} now, and had {before}");
    }

    private void NoResponse(NamedUser user, string reason)
    {
        if (!user.Silence.Start())
            return;
        string meanwhile = user.Uid is { } uid ? $"uid {uid}, known before, stays in use" : "until it answers, that user matches no process";
        _warnings.Add($"{user.Filters}: the user directory did not answer for user \"{user.Name}\" ({reason}); {meanwhile}");
    }

    private sealed class NamedUser(string name, TimeProvider time)
    {
        public string Name => name;

        /// <summary>For messages: the filters that name it.</summary>
        public string Filters { get; set; } = "";

        public uint? Uid { get; set; }

        public long RequestedAt { get; set; }

        /// <summary>Set while a lookup is queued or runs; it is completed when that has ended.</summary>
        public TaskCompletionSource? IsAnswered { get; set; }

        public bool IsRequested => IsAnswered is not null;

        /// <summary>The user does not exist.</summary>
        public RecurringWarning Absence { get; } = new(time);

        /// <summary>There is no answer.</summary>
        public RecurringWarning Silence { get; } = new(time);
    }
}
