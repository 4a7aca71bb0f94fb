using Microsoft.Extensions.Primitives;

namespace ThreadExporter.Exposition;

/// <summary>What a scrape asks for. Those that ask for the same share one text.</summary>
/// <param name="Format">How it is written.</param>
/// <param name="Filters">The rules whose processes are shown, sorted, each once, separated by NUL; null: all rules.</param>
internal readonly record struct ScrapeRequest(ScrapeFormat Format, string? Filters = null)
{
    private const char Separator = '\0';

    /// <summary>From the query's <c>filter</c> parameters. Not split at commas, which a rule's name may hold.</summary>
    public static ScrapeRequest Of(ScrapeFormat format, StringValues filters) =>
        new(format, filters.Count == 0 ? null : string.Join(Separator, filters.Select(f => f ?? "").Distinct().Order(StringComparer.Ordinal)));

    /// <summary>The rules named; null: all.</summary>
    public string[]? Names => Filters?.Split(Separator);
}
