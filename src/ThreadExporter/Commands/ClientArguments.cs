namespace ThreadExporter.Commands;

/// <summary>What only <c>top</c> has.</summary>
/// <param name="Url">The daemon to ask; null: none was named.</param>
/// <param name="At">A recorded moment; null: live.</param>
/// <param name="Count">Refreshes until the end; null: without end.</param>
/// <param name="Refresh">Time between two of them.</param>
/// <param name="IsBatch">One table after the other, without control sequences.</param>
internal sealed record TopArguments(Uri? Url, DateTimeOffset? At, int? Count, TimeSpan Refresh, bool IsBatch)
{
    public static readonly TimeSpan DefaultRefresh = TimeSpan.FromSeconds(2);
    public static readonly TimeSpan LeastRefresh = TimeSpan.FromSeconds(0.25), LongestRefresh = TimeSpan.FromSeconds(60);
}

/// <summary>What only <c>report</c> has.</summary>
/// <param name="Url">The daemon to ask; null: that of this host.</param>
/// <param name="From">Start of the period.</param>
/// <param name="To">Its end.</param>
/// <param name="Threads">The most threads in each table.</param>
/// <param name="IsJson">The answer of the daemon as it is.</param>
internal sealed record ReportArguments(Uri? Url, DateTimeOffset From, DateTimeOffset To, int Threads, bool IsJson)
{
    public const int DefaultThreads = 20;
}
