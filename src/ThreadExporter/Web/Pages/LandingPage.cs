using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using ThreadExporter.Collection;
using ThreadExporter.Configuration;
using ThreadExporter.Exposition;
using ThreadExporter.Linux;
using ThreadExporter.Matching;
using ThreadExporter.Procfs;
using ThreadExporter.Settings;
using ThreadExporter.Text;

namespace ThreadExporter.Web.Pages;

/// <summary>The page at <c>/</c>: what is watched, and possible reasons why nothing is. The first place to look when graphs are empty.</summary>
internal static class LandingPage
{
    /// <summary>Processes listed per filter; the rest is only counted.</summary>
    private const int MaxListed = 20;

    /// <summary>Maximum wait for a running collection.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    /// <param name="holder">The active configuration and the result of its last load.</param>
    /// <param name="collector">The watched processes.</param>
    /// <param name="gate">Held while the collector is used.</param>
    /// <param name="lastScrape">Time of the last scrape, as a <see cref="Stopwatch"/> timestamp; 0: never.</param>
    public static string Render(ConfigHolder holder, Collector collector, CollectionGate gate, long lastScrape)
    {
        ConfigSnapshot snapshot = holder.Current;
        if (!gate.TryInspect(() => TakeInventory(collector, snapshot), Timeout, out Watched? watched))
            watched = null;
        WebConfig web = snapshot.Config.Web;
        StringBuilder page = new();
        page.Append(CultureInfo.InvariantCulture, $"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>thread-exporter</title>
            <link rel="icon" href="hot.svg" type="image/svg+xml">
            <link rel="stylesheet" href="hot.css">
            </head>
            <body class="landing">
            <header class="top">
            <h1>thread-exporter <small>{Encode(SelfMetrics.Version)}</small></h1>
            <nav aria-label="Pages">
            <a class="primary" href="hot">Hot threads</a>
            <a href="{Encode(web.TelemetryPath.TrimStart('/'))}">Metrics</a>
            <a href="api/v1/hot">API</a>
            <a href="-/healthy">Healthy</a>
            </nav>
            </header>
            <main>

            """);
        foreach ((bool bad, string text) in Notices(holder, gate, watched, lastScrape))
            page.Append(CultureInfo.InvariantCulture, $"<div class=\"notice {(bad ? "bad" : "info")}\">{text}</div>\n");
        if (watched is not null)
            AppendFilters(page, snapshot, watched);
        AppendFacts(page, holder, watched, lastScrape);
        page.Append("</main>\n</body>\n</html>\n");
        return page.ToString();
    }

    private static Watched TakeInventory(Collector collector, ConfigSnapshot snapshot)
    {
        collector.Discover(snapshot, Clocks.MonotonicNanoseconds());
        return new Watched(
            collector.Processes.Select(p => new Match(p.Filter.Name, p.Pid, p.Threads.Count, ProcText.Decode(p.Name), p.UsesShortLived)).ToLookup(m => m.Filter),
            collector.HasSchedInfo, collector.HiddenBy, collector.DeniedProcesses);
    }

    private static IEnumerable<(bool Bad, string Html)> Notices(ConfigHolder holder, CollectionGate gate, Watched? watched, long lastScrape)
    {
        ReloadResult last = holder.Last;
        if (!last.Succeeded)
        {
            string errors = string.Concat(last.Errors.Select(e => $"<li><code>{Encode(MetricsEndpoints.ToPublicText(e))}</code></li>"));
            yield return (true, "<h2>The last reload failed; the previous configuration remains active</h2>"
                + $"<p>Errors (line, column, key):</p><ul>{errors}</ul><p>Run <code>thread-exporter check</code> on the host for the full messages.</p>");
        }
        if (!last.RestartKeys.IsEmpty)
            yield return (false, $"<p>Changed, takes effect at the next restart: {string.Join(", ", last.RestartKeys.Select(k => $"<code>{Encode(k)}</code>"))}.</p>");
        if (watched is null)
        {
            long since = gate.BusySince;
            string time = since == 0 ? "" : $" (for {Duration(Stopwatch.GetElapsedTime(since))})";
            yield return (true, $"<h2>A collection is still running{time}</h2><p>The watched processes are shown when it has finished.</p>");
        }
        if (holder.Current.Config.Filters.IsEmpty)
        {
            yield return (true, "<h2>Nothing is watched, because no filter is configured</h2><p>Add a <code>[[filter]]</code> to the configuration and run "
                + "<code>systemctl reload thread-exporter</code>, or start with <code>--filter NAME</code>.</p>");
        }
        else if (watched is { Matches.Count: 0 })
        {
            yield return (true, "<h2>Nothing is watched, because no filter matches a process</h2><p>The table below shows notes on each filter.</p>");
        }
        if (watched is { HasSchedInfo: false })
            yield return (false, "<p>This kernel has no sched info: run-queue wait and timeslices are not available, and CPU time has the resolution of clock ticks.</p>");
        if (watched is { HiddenBy: { } option })
        {
            yield return (false, $"<p>/proc is mounted with <code>{Encode(option)}</code>, so processes of other users cannot be watched: this requires "
                + "CAP_SYS_PTRACE, or the group given by the mount option <code>gid=</code>.</p>");
        }
        else if (watched is { Denied: > 0 })
        {
            yield return (false, $"<p>{Plural.Count(watched.Denied, "process", "processes")} cannot be read, although /proc is not mounted with hidepid: "
                + "a security module (SELinux, AppArmor) may deny access.</p>");
        }
        if (lastScrape == 0)
            yield return (false, "<p>No scrape since the start. Graphs stay empty until Prometheus has a scrape job for this address.</p>");
    }

    private static void AppendFilters(StringBuilder page, ConfigSnapshot snapshot, Watched watched)
    {
        if (snapshot.Config.Filters.IsEmpty)
            return;
        page.Append("""
            <section>
            <table class="filters" role="table">
            <caption>Filters and what they match now</caption>
            <thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Filter</th><th scope="col" role="columnheader" class="number">Processes</th>
            <th scope="col" role="columnheader" class="number">Threads</th><th scope="col" role="columnheader">Matching</th></tr></thead>
            <tbody role="rowgroup">

            """);
        bool earlierOwns = false;
        foreach (CompiledFilter filter in snapshot.Matcher.Filters)
        {
            Match[] matches = [.. watched.Matches[filter.Name]];
            string listed = string.Join(" ", matches.Take(MaxListed).Select(m => $"<span class=\"process\"><bdi>{Encode(m.Name)}</bdi> <small>{m.Pid}</small></span>"));
            if (matches.Length > MaxListed)
                listed += string.Create(CultureInfo.InvariantCulture, $" and {matches.Length - MaxListed} more");
            string hints = string.Concat(FilterHints.Of(filter, snapshot.Matcher.Users, matches.Length == 0, earlierOwns, matches.Any(m => m.UsesShortLived)).Select(h => $"<p class=\"hint\">{WithCode(h)}</p>"));
            page.Append(CultureInfo.InvariantCulture, $"""
                <tr role="row"{(matches.Length == 0 ? " class=\"empty\"" : "")}><th scope="row" role="rowheader">{Encode(filter.Name)}</th>
                <td role="cell" class="number" data-label="processes">{matches.Length}</td><td role="cell" class="number" data-label="threads">{matches.Sum(m => m.Threads)}</td>
                <td role="cell">{(matches.Length == 0 ? "<strong>no match</strong>" : listed)}{hints}</td></tr>

                """);
            earlierOwns |= matches.Length > 0;
        }
        page.Append("</tbody></table></section>\n");
    }

    private static void AppendFacts(StringBuilder page, ConfigHolder holder, Watched? watched, long lastScrape)
    {
        TimeSpan up = DateTime.UtcNow - Process.GetCurrentProcess().StartTime.ToUniversalTime();
        string scraped = lastScrape == 0 ? "never" : $"{Duration(Stopwatch.GetElapsedTime(lastScrape))} ago";
        string total = watched is null ? "unknown"
            : $"{Plural.Count(watched.Matches.Sum(g => g.Count()), "process", "processes")} with {Plural.Count(watched.Matches.Sum(g => g.Sum(m => m.Threads)), "thread", "threads")}";
        page.Append(CultureInfo.InvariantCulture, $"""
            <section class="facts"><h2>State</h2><dl>
            <div><dt>Watched</dt><dd>{total}</dd></div>
            <div><dt>Last scrape</dt><dd>{scraped}</dd></div>
            <div><dt>Last reload</dt><dd>{(holder.Last.Succeeded ? "succeeded" : "<strong>failed</strong>")}</dd></div>
            <div><dt>Active configuration loaded</dt><dd>{holder.Current.LoadedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC</dd></div>
            <div><dt>Uptime</dt><dd>{Duration(up)}</dd></div>
            </dl></section>
            <section class="facts"><h2>Documentation</h2><p>On the host: <code>man thread-exporter</code> (commands, signals, exit codes),
            <code>man thread-exporter.toml</code> (every key), <code>thread-exporter check</code> (every error, and what the filters match).
            In the source: <code>docs/metrics.md</code>, <code>docs/api.md</code>, <code>docs/configuration.md</code>.</p></section>

            """);
    }

    private static string Duration(TimeSpan time) => time switch
    {
        { TotalDays: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.Days} d {time.Hours} h"),
        { TotalHours: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.Hours} h {time.Minutes} min"),
        { TotalMinutes: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min {time.Seconds} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, (int)time.TotalSeconds)} s"),
    };

    // Text between backticks is a shell command.
    private static string WithCode(string text) =>
        string.Concat(text.Split('`').Select((part, i) => i % 2 == 0 ? Encode(part) : $"<code>{Encode(part)}</code>"));

    private static string Encode(string text) => WebUtility.HtmlEncode(Printable.Of(text));

    private sealed record Match(string Filter, int Pid, int Threads, string Name, bool UsesShortLived);

    private sealed record Watched(ILookup<string, Match> Matches, bool HasSchedInfo, string? HiddenBy, int Denied);
}
