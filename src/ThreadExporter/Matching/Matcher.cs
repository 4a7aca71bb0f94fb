using System.Collections.Immutable;
using ThreadExporter.Configuration;
using ThreadExporter.Procfs;

namespace ThreadExporter.Matching;

/// <summary>What the rules say about a process.</summary>
/// <param name="Rule">The rule that owns it, or null.</param>
/// <param name="ToChildren">What its children inherit: keep it with the process and pass it when they are matched.</param>
/// <param name="Incomplete">A fact was not known yet, and the answer may change: ask again soon.</param>
internal readonly record struct MatchResult(Rule? Rule, RuleSet ToChildren, bool Incomplete);

/// <summary>Looks up a user: name or number to uid.</summary>
internal delegate bool UserLookup(string nameOrUid, out uint uid);

/// <summary>The rules of one configuration, compiled. <see cref="Match"/> and <see cref="TakeWarnings"/> are for one thread at a time.</summary>
internal sealed class Matcher
{
    /// <summary>How often a user that is not known is looked up again: it may be created, or its directory server reached, later.</summary>
    public static readonly TimeSpan UserRetryInterval = TimeSpan.FromMinutes(1);

    private readonly TimeProvider _time;
    private readonly UserLookup _lookUpUser;
    private List<string> _warnings = [];
    private ImmutableArray<Rule> _rulesWithUnknownUsers = [];
    private long _usersLookedUpAt;

    private Matcher(ImmutableArray<FilterConfig> filters, UserLookup lookUpUser, TimeProvider time)
    {
        _time = time;
        _lookUpUser = lookUpUser;
        Rules = [.. filters.Select((filter, index) => new Rule(index, filter, time))];
        NeedsCommandLine = filters.Any(static filter => filter.Cmdline is not null || filter.Daemon is not null);
        NeedsAncestry = filters.Any(static filter => filter.Children);
    }

    /// <summary>In the order of the file, which is that of their <see cref="Rule.Index"/>.</summary>
    public ImmutableArray<Rule> Rules { get; }

    /// <summary>Whether a rule looks at command lines. The built-in names of Ceph's daemons want theirs in any case.</summary>
    public bool NeedsCommandLine { get; }

    /// <summary>Whether a rule has <c>children</c>. Else the set a process inherits is always empty.</summary>
    public bool NeedsAncestry { get; }

    /// <summary>
    /// Compiles the rules and looks up their users, which may ask the network (nsswitch.conf(5)): not on the scrape path.
    /// A user that is not known matches nothing and is a warning, because it may come later.
    /// </summary>
    public static Matcher Compile(ImmutableArray<FilterConfig> filters, UserLookup? lookUpUser = null, TimeProvider? time = null)
    {
        var matcher = new Matcher(filters, lookUpUser ?? Users.TryGetUid, time ?? TimeProvider.System);
        matcher.LookUpUsers([.. matcher.Rules.Where(static rule => rule.Config.User.Length > 0)], matcher._warnings);
        return matcher;
    }

    /// <summary>
    /// Looks up again the users that were not known, at most once a <see cref="UserRetryInterval"/>; free when there are
    /// none. Like <see cref="Compile"/> it may wait for the network; it may run beside <see cref="Match"/>, but not beside itself.
    /// </summary>
    public void RetryUsers()
    {
        if (!_rulesWithUnknownUsers.IsEmpty && _time.GetElapsedTime(_usersLookedUpAt) >= UserRetryInterval)
            LookUpUsers(_rulesWithUnknownUsers, warnings: null);
    }

    /// <summary>
    /// The first rule that matches owns the process. A rule with <c>children</c> also matches the descendants of every
    /// process that matches its keys, even of one that an earlier rule owns.
    /// </summary>
    /// <param name="facts">The process.</param>
    /// <param name="inherited">Its parent's <see cref="MatchResult.ToChildren"/>; so parents are matched first.</param>
    public MatchResult Match(ProcessFacts facts, RuleSet inherited)
    {
        Rule? owner = null;
        var toChildren = inherited;
        var incomplete = false;
        foreach (var rule in Rules)
        {
            if (inherited.Contains(rule.Index))
            {
                owner ??= rule;
                continue;
            }
            if (owner is not null && !rule.Config.Children)
                continue;
            switch (rule.Matches(facts, _warnings))
            {
                case Verdict.Yes:
                    owner ??= rule;
                    if (rule.Config.Children)
                        toChildren = toChildren.With(rule.Index);
                    break;
                case Verdict.Unknown:
                    incomplete = true;
                    break;
            }
        }
        return new MatchResult(owner, toChildren, incomplete);
    }

    /// <summary>What a person should be told, one line each, and each once: users not known, files that may not be read.</summary>
    public IReadOnlyList<string> TakeWarnings()
    {
        if (_warnings.Count == 0)
            return [];
        var taken = _warnings;
        _warnings = [];
        return taken;
    }

    private void LookUpUsers(ImmutableArray<Rule> rules, List<string>? warnings)
    {
        var unknown = ImmutableArray.CreateBuilder<Rule>();
        foreach (var rule in rules)
        {
            var uids = new List<uint>();
            foreach (var user in rule.Config.User)
            {
                if (_lookUpUser(user, out var uid))
                    uids.Add(uid);
                else
                    warnings?.Add($"filter \"{rule.Name}\": user \"{user}\" is not known (yet), so it matches nothing");
            }
            if (uids.Count < rule.Config.User.Length)
                unknown.Add(rule);
            rule.SetUsers([.. uids]);
        }
        _rulesWithUnknownUsers = unknown.ToImmutable();
        _usersLookedUpAt = _time.GetTimestamp();
    }
}
