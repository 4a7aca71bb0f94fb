using System.Collections.Frozen;

namespace ThreadExporter.Configuration;

/// <summary>
/// Keys that are checked but have no effect in this version, so that any value but the default is an error rather than a
/// promise. Whoever makes a key work deletes its line here and its mark in the shipped file and in docs/configuration.md.
/// </summary>
internal static class NotYetAvailable
{
    private static readonly FrozenSet<string> Keys = FrozenSet.ToFrozenSet(
    [
        "filter.threads.detail",
        "filter.threads.fold_digits",
        "filter.threads.include",
        "filter.threads.exclude",
        "filter.threads.top",
        "web.watch_config",
        "collector.max_threads",
        "collector.max_samples",
        "collector.extended",
    ]);

    public static bool Contains(string key) => Keys.Contains(key);
}
