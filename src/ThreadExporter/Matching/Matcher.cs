using System.Collections.Immutable;
using ThreadExporter.Configuration;

namespace ThreadExporter.Matching;

/// <summary>What the rules say about a process.</summary>
/// <param name="Filter">The rule that owns it, or null.</param>
/// <param name="ToChildren">What its children inherit: keep it with the process and pass it when they are matched.</param>
/// <param name="Incomplete">A fact was not known yet, and the answer may change: ask again soon.</param>
/// <param name="ExeDenied">Rules that do not match because its <c>exe</c> may not be read: keep them for <see cref="Matcher.CountExeDenied"/>.</param>
internal readonly record struct MatchResult(CompiledFilter? Filter, FilterSet ToChildren, bool Incomplete, FilterSet ExeDenied);

/// <summary>
/// The rules of one configuration, compiled. Its methods are for one thread at a time; <see cref="Users"/> is for any.
/// </summary>
internal sealed class Matcher
{
    /// <summary>
    /// How long the start or a reload waits for users that are not known yet. They come at once on most hosts, and are then
    /// known to the first scrape.
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

    /// <summary>In the order of the file, which is that of their <see cref="CompiledFilter.Index"/>.</summary>
    public ImmutableArray<CompiledFilter> Filters { get; }

    public UserDirectory Users { get; }

    /// <summary>Whether a rule has <c>children</c>. Else the set a process inherits is always empty.</summary>
    public bool NeedsAncestry { get; }

    /// <summary>Compiles the rules with a user directory of their own.</summary>
    public static Matcher Compile(ImmutableArray<FilterConfig> filters, UserLookup? lookUpUser = null, TimeProvider? time = null) =>
        Compile(filters, new UserDirectory(lookUpUser, time), Timeout, time);

    /// <summary>
    /// Compiles the rules and has their users looked up. A user about whom there is no answer within the patience matches
    /// nothing until it comes.
    /// </summary>
    public static Matcher Compile(ImmutableArray<FilterConfig> filters, UserDirectory users, TimeSpan timeout, TimeProvider? time = null)
    {
        Matcher matcher = new(filters, users, time ?? TimeProvider.System);
        users.Use(filters.SelectMany(static filter => filter.User, static (filter, user) => (user, filter.Name)), timeout);
        matcher.ApplyUsers();
        return matcher;
    }

    /// <summary>To be called before a pass over all processes.</summary>
    /// <returns>Whether a user has another uid since the last pass: then what was decided about any process may be wrong.</returns>
    public bool BeginPass()
    {
        if (Users.Version == _usersVersion)
            return false;
        ApplyUsers();
        return true;
    }

    /// <summary>During a pass, for each process that lives: what its last match said.</summary>
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

    /// <summary>To be called after a pass over all processes.</summary>
    /// <param name="isListed">Whether a process with that pid lives.</param>
    public void EndPass(Predicate<int> isListed)
    {
        foreach (CompiledFilter filter in Filters)
            filter.EndPass(_warnings, isListed);
    }

    /// <summary>
    /// The first rule that matches owns the process. A rule with <c>children</c> also matches the descendants of every
    /// process that matches its keys, even of one that an earlier rule owns.
    /// </summary>
    /// <param name="process">The process.</param>
    /// <param name="inherited">Its parent's <see cref="MatchResult.ToChildren"/>; so parents are matched first.</param>
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

    /// <summary>What to log as warnings, one line each: users that are not known, files that may not be read.</summary>
    public IReadOnlyList<string> TakeWarnings()
    {
        List<string> taken = _warnings;
        if (taken.Count > 0)
            _warnings = [];
        return [.. taken, .. Users.TakeWarnings()];
    }

    private void ApplyUsers()
    {
        // Read first: what is answered meanwhile is applied by the next pass.
        _usersVersion = Users.Version;
        foreach (CompiledFilter filter in Filters)
        {
            if (filter.Config.User.Length > 0)
                filter.SetUsers([.. filter.Config.User.Select(user => Users.StateOf(user).Uid).OfType<uint>()]);
        }
    }
}
