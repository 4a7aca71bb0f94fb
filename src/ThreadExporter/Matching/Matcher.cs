using System.Collections.Immutable;
using ThreadExporter.Configuration;

namespace ThreadExporter.Matching;

/// <summary>The result of matching a process with the filters.</summary>
/// <param name="Filter">The filter that owns the process, or null.</param>
/// <param name="ToChildren">The filters that its children inherit: keep them with the process and pass them when its children are matched.</param>
/// <param name="Incomplete">Something could not be read yet, and the result may change: match the process again soon.</param>
/// <param name="ExeDenied">Filters that do not match because <c>exe</c> cannot be read: keep them for <see cref="Matcher.CountExeDenied"/>.</param>
internal readonly record struct MatchResult(CompiledFilter? Filter, FilterSet ToChildren, bool Incomplete, FilterSet ExeDenied);

/// <summary>
/// The filters of one configuration, compiled. Not thread-safe, except <see cref="Users"/>.
/// </summary>
internal sealed class Matcher
{
    /// <summary>
    /// How long the start or a reload waits for user lookups. On most hosts they finish at once, so that the users are known at the first
    /// scrape.
    /// </summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(500);

    private List<string> _warnings = [];
    private int _usersVersion;

    private Matcher(ImmutableArray<FilterConfig> filters, UserDirectory users, TimeProvider time)
    {
        Users = users;
        Filters = [.. filters.Select((filter, index) => new CompiledFilter(index, filter, time))];
        NeedsAncestry = filters.Any(static filter => filter.Children);
    }

    /// <summary>In the order of the file, by <see cref="CompiledFilter.Index"/>.</summary>
    public ImmutableArray<CompiledFilter> Filters { get; }

    public UserDirectory Users { get; }

    /// <summary>Whether a filter has <c>children</c>. Without one, the inherited set is always empty.</summary>
    public bool NeedsAncestry { get; }

    /// <summary>Compiles the filters with their own user directory.</summary>
    public static Matcher Compile(ImmutableArray<FilterConfig> filters, UserLookup? lookUpUser = null, TimeProvider? time = null) =>
        Compile(filters, new UserDirectory(lookUpUser, time), Timeout, time);

    /// <summary>
    /// Compiles the filters and looks up their users. A user whose lookup takes longer than <paramref name="timeout"/> matches nothing until
    /// it has finished.
    /// </summary>
    public static Matcher Compile(ImmutableArray<FilterConfig> filters, UserDirectory users, TimeSpan timeout, TimeProvider? time = null)
    {
        Matcher matcher = new(filters, users, time ?? TimeProvider.System);
        users.Use(filters.SelectMany(static filter => filter.User, static (filter, user) => (user, filter.Name)), timeout);
        matcher.ApplyUsers();
        return matcher;
    }

    /// <summary>Call it before a pass over all processes.</summary>
    /// <returns>Whether the uid of a user has changed since the last pass: all processes must be matched again.</returns>
    public bool BeginPass()
    {
        if (Users.Version == _usersVersion)
            return false;
        ApplyUsers();
        return true;
    }

    /// <summary>Call it during a pass for each running process, with the result of its last match.</summary>
    public void CountExeDenied(int pid, FilterSet denied)
    {
        if (denied.IsEmpty)
            return;
        foreach (CompiledFilter filter in Filters)
        {
            if (denied.Contains(filter.Index))
                filter.CountExeDenied(pid);
        }
    }

    /// <summary>Call it after a pass over all processes.</summary>
    /// <param name="isListed">Whether a process with that pid is running.</param>
    public void EndPass(Predicate<int> isListed)
    {
        foreach (CompiledFilter filter in Filters)
            filter.EndPass(_warnings, isListed);
    }

    /// <summary>
    /// The first filter that matches owns the process. A filter with <c>children</c> also matches the descendants of every process that
    /// matches its keys, even if an earlier filter owns that process.
    /// </summary>
    /// <param name="process">The process.</param>
    /// <param name="inherited">The <see cref="MatchResult.ToChildren"/> of its parent, which must be matched first.</param>
    public MatchResult Match(ProcessInfo process, FilterSet inherited)
    {
        CompiledFilter? owner = null;
        FilterSet toChildren = inherited;
        bool incomplete = false;
        FilterSet exeDenied = FilterSet.Empty;
        foreach (CompiledFilter filter in Filters)
        {
            if (inherited.Contains(filter.Index))
            {
                owner ??= filter;
                continue;
            }
            if (owner is not null && !filter.Config.Children)
                continue;
            MatchOutcome outcome = filter.Matches(process, _warnings, out bool denied);
            if (denied)
                exeDenied = exeDenied.With(filter.Index);
            switch (outcome)
            {
                case MatchOutcome.Yes:
                    owner ??= filter;
                    if (filter.Config.Children)
                        toChildren = toChildren.With(filter.Index);
                    break;
                case MatchOutcome.Unknown:
                    incomplete = true;
                    break;
            }
        }
        return new MatchResult(owner, toChildren, incomplete, exeDenied);
    }

    /// <summary>The first filter that matches a process of which only the exit record is known.</summary>
    /// <param name="comm">Its name.</param>
    /// <param name="realUid">Its real user.</param>
    /// <param name="inherited">The <see cref="MatchResult.ToChildren"/> of its parent.</param>
    public CompiledFilter? MatchExited(byte[] comm, uint realUid, FilterSet inherited)
    {
        foreach (CompiledFilter filter in Filters)
        {
            if (inherited.Contains(filter.Index) || filter.MatchesExited(comm, realUid))
                return filter;
        }
        return null;
    }

    /// <summary>The warnings to log, one line each: unknown users, files that cannot be read.</summary>
    public IReadOnlyList<string> TakeWarnings()
    {
        List<string> taken = _warnings;
        if (taken.Count > 0)
            _warnings = [];
        return [.. taken, .. Users.TakeWarnings()];
    }

    private void ApplyUsers()
    {
        // Read first: a lookup that finishes meanwhile is applied by the next pass.
        _usersVersion = Users.Version;
        foreach (CompiledFilter filter in Filters)
        {
            if (filter.Config.User.Length > 0)
                filter.SetUsers([.. filter.Config.User.Select(user => Users.StateOf(user).Uid).OfType<uint>()]);
        }
    }
}
