using System.Globalization;
using System.Net;
using System.Text;
using ThreadExporter.Configuration;
using ThreadExporter.Exposition;
using ThreadExporter.Hosting;
using ThreadExporter.Procfs;

namespace ThreadExporter.Web;

/// <summary>The page at <c>/</c>: what is watched, and why perhaps nothing is.</summary>
internal static class LandingPage
{
    /// <summary>Processes named per rule; the rest is counted.</summary>
    private const int MaxListed = 20;

    private const string Style = """
        :root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
        body{max-width:60rem;margin:2rem auto;padding:0 1rem}
        table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #8884;vertical-align:top}
        .bad{border-left:.3rem solid #c33;padding-left:.8rem}code{font-family:ui-monospace,monospace}
        """;

    public static string Render(ConfigState state, Scrapes scrapes)
    {
        ExporterConfig config = state.Current.Config;
        StringBuilder page = new();
        page.Append(CultureInfo.InvariantCulture, $"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
            <title>thread-exporter</title><style>{Style}</style></head><body>
            <h1>thread-exporter {Encode(SelfMetrics.Version)}</h1>
            <p>CPU time of every thread of the processes you choose.
            <a href="{Encode(config.Web.TelemetryPath)}">Metrics</a></p>

            """);
        ReloadResult last = state.Last;
        if (!last.Succeeded)
        {
            page.Append("<div class=\"bad\"><p>The last reload failed; the old configuration stays in force. Faults at:</p><ul>");
            foreach (ConfigError error in last.Errors)
                page.Append(CultureInfo.InvariantCulture, $"<li><code>{Encode(Endpoints.Shown(error))}</code></li>");
            page.Append("</ul><p><code>thread-exporter check</code> on the host prints them in full.</p></div>\n");
        }
        page.Append("<h2>Filters</h2>\n");
        if (config.Filters.IsEmpty)
        {
            page.Append("<p class=\"bad\">No filter is given, so nothing is watched. Add a <code>[[filter]]</code> to the configuration and reload.</p>\n");
        }
        else
        {
            page.Append("<table><thead><tr><th scope=\"col\">Filter</th><th scope=\"col\">Processes</th><th scope=\"col\">Threads</th><th scope=\"col\">Now matching</th></tr></thead><tbody>\n");
            AppendFilters(page, config, scrapes);
            page.Append("</tbody></table>\n");
        }
        page.Append(CultureInfo.InvariantCulture, $"<p>Configuration loaded {state.Current.LoadedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC.</p></body></html>\n");
        return page.ToString();
    }

    private static void AppendFilters(StringBuilder page, ExporterConfig config, Scrapes scrapes)
    {
        ILookup<string, (int Pid, int Threads, string Name)> matched = scrapes.Inspect(collector => collector.Processes
            .Select(p => (Rule: p.Rule.Name, Shown: (p.Pid, p.Threads.Count, ProcText.Decode(p.Name))))
            .ToLookup(p => p.Rule, p => p.Shown));
        foreach (FilterConfig filter in config.Filters)
        {
            (int Pid, int Threads, string Name)[] processes = [.. matched[filter.Name]];
            string listed = string.Join(", ", processes.Take(MaxListed).Select(p => Encode($"{p.Name} ({p.Pid})")));
            if (processes.Length > MaxListed)
                listed += string.Create(CultureInfo.InvariantCulture, $" and {processes.Length - MaxListed} more");
            page.Append(CultureInfo.InvariantCulture,
                $"<tr><td>{Encode(filter.Name)}</td><td>{processes.Length}</td><td>{processes.Sum(p => p.Threads)}</td><td>{(processes.Length == 0 ? "nothing" : listed)}</td></tr>\n");
        }
    }

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
