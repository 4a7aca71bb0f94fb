using Microsoft.Extensions.Primitives;

namespace ThreadExporter.Exposition;

/// <summary>What a scrape requests. Equal requests share one text.</summary>
/// <param name="Format">The format of the response.</param>
/// <param name="Filters">The names of the filters whose processes are shown, sorted, each once, separated by NUL; null: all filters.</param>
internal readonly record struct ScrapeRequest(ScrapeFormat Format, string? Filters = null)
{
    private const char Separator = '\0';

    /// <summary>From the query parameters <c>filter</c>. They are not split at commas, which the name of a filter may contain.</summary>
    public static ScrapeRequest Of(ScrapeFormat format, StringValues filters) =>
        new(format, filters.Count == 0 ? null : string.Join(Separator, filters.Select(f => f ?? "").Distinct().Order(StringComparer.Ordinal)));

    /// <summary>The names of the filters; null: all filters.</summary>
    public string[]? Names => Filters?.Split(Separator);
}
