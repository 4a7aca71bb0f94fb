using System.CommandLine;
using ThreadExporter.Client;
using ThreadExporter.HotThreads;
using ThreadExporter.Text;

namespace ThreadExporter.Commands;

/// <summary>The options of <c>top</c> and <c>report</c>.</summary>
internal sealed class ClientOptions
{
    private readonly Option<string?> _url = new("--url")
    {
        Description = "The daemon to ask, such as http://host:9199; the URL may contain USER:PASSWORD@. Environment: THREAD_EXPORTER_URL.",
        HelpName = "URL",
    };

    private readonly Option<string?> _at = new("--at")
    {
        Description = "Show this recorded moment: 02:13, 2026-11-26T02:13:00+01:00 or Unix seconds.",
        HelpName = "TIME",
    };

    private readonly Option<int?> _refreshes = new("-n")
    {
        Description = "End after this many refreshes.",
        HelpName = "COUNT",
    };

    private readonly Option<double?> _seconds = new("-d")
    {
        Description = $"Seconds between two refreshes, {TopArguments.LeastRefresh.TotalSeconds}-{TopArguments.LongestRefresh.TotalSeconds} (default {TopArguments.DefaultRefresh.TotalSeconds}).",
        HelpName = "SECONDS",
    };

    private readonly Option<bool> _batch = new("-b")
    {
        Description = "Print one table after the other, for a pipe or a file.",
    };

    private readonly Option<string?> _from = new("--from")
    {
        Description = "Start of the period: 02:00, 2026-11-26T02:00:00+01:00 or Unix seconds.",
        HelpName = "TIME",
    };

    private readonly Option<string?> _to = new("--to")
    {
        Description = "Its end (default: now).",
        HelpName = "TIME",
    };

    private readonly Option<string?> _format = new("--format")
    {
        Description = "text (default) or json.",
        HelpName = "FORMAT",
    };

    private readonly Option<int?> _threads = new("-n")
    {
        Description = $"The most threads in a table, 1-{HotThreadTracker.MaxThreads} (default {ReportArguments.DefaultThreads}).",
        HelpName = "COUNT",
    };

    /// <summary>Adds to each command its options.</summary>
    public void AddTo(Command top, Command report)
    {
        foreach (Option option in (ReadOnlySpan<Option>)[_url, _at, _refreshes, _seconds, _batch])
            top.Options.Add(option);
        foreach (Option option in (ReadOnlySpan<Option>)[_from, _to, _url, _format, _threads])
            report.Options.Add(option);
    }

    /// <summary>Null, or what is wrong with the options of <c>top</c>.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="filter">The option that is for this host only.</param>
    /// <param name="arguments">Null with an error.</param>
    public string? ReadTop(ParseResult result, Option<string?> filter, out TopArguments? arguments)
    {
        arguments = null;
        DateTimeOffset? at = null;
        if (result.GetValue(_at) is { } atText)
        {
            if (PointInTime.Parse(atText, TimeProvider.System, out DateTimeOffset point) is { } error)
                return $"--at {error}";
            at = point;
        }
        if (result.GetValue(_refreshes) is < 1)
            return "invalid -n: must be 1 or more";
        TimeSpan refresh = TopArguments.DefaultRefresh;
        if (result.GetValue(_seconds) is { } seconds)
        {
            if (!(seconds >= TopArguments.LeastRefresh.TotalSeconds && seconds <= TopArguments.LongestRefresh.TotalSeconds))
                return FormattableString.Invariant($"invalid -d: must be {TopArguments.LeastRefresh.TotalSeconds}-{TopArguments.LongestRefresh.TotalSeconds} seconds");
            refresh = TimeSpan.FromSeconds(seconds);
        }
        Uri? url = null;
        bool isOfThisHost = result.GetValue(filter) is not null;
        if (isOfThisHost && (result.GetValue(_url) is not null || at is not null))
            return "--filter cannot be combined with --url or --at: the daemon's own filters apply";
        if (!isOfThisHost && ReadUrl(result, out url) is { } urlError)
            return urlError;
        arguments = new TopArguments(url, at, result.GetValue(_refreshes), refresh, result.GetValue(_batch));
        return null;
    }

    /// <summary>Null, or what is wrong with the options of <c>report</c>.</summary>
    public string? ReadReport(ParseResult result, out ReportArguments? arguments)
    {
        arguments = null;
        if (result.GetValue(_from) is not { } fromText)
            return "--from is missing: write the start of the period, such as --from 02:00";
        if (PointInTime.Parse(fromText, TimeProvider.System, out DateTimeOffset from) is { } fromError)
            return $"--from {fromError}";
        DateTimeOffset to = DateTimeOffset.Now;
        if (result.GetValue(_to) is { } toText && PointInTime.Parse(toText, TimeProvider.System, out to) is { } toError)
            return $"--to {toError}";
        if (to <= from)
            return $"--to {PointInTime.Show(to)} is not after --from {PointInTime.Show(from)}";
        int threads = result.GetValue(_threads) ?? ReportArguments.DefaultThreads;
        if (threads is < 1 or > HotThreadTracker.MaxThreads)
            return $"invalid -n: must be 1-{HotThreadTracker.MaxThreads}";
        string format = result.GetValue(_format) ?? "text";
        if (format is not ("text" or "json"))
            return $"invalid --format {Printable.Quote(format)}: expected text or json";
        if (ReadUrl(result, out Uri? url) is { } urlError)
            return urlError;
        arguments = new ReportArguments(url, from, to, threads, format == "json");
        return null;
    }

    /// <summary>Null, or what is wrong with the URL. It is not repeated, because it may contain a password.</summary>
    private string? ReadUrl(ParseResult result, out Uri? url)
    {
        (string name, string? text) = ("--url", result.GetValue(_url));
        if (text is null && Environment.GetEnvironmentVariable("THREAD_EXPORTER_URL") is { Length: > 0 } fromEnvironment)
            (name, text) = ("environment variable THREAD_EXPORTER_URL", fromEnvironment);
        url = null;
        if (text is null)
            return null;
        if (ApiClient.GetUrlError(text) is { } error)
            return $"invalid {name}: {error}";
        url = new Uri(text);
        return null;
    }
}
