using System.Collections.Immutable;
using System.Globalization;
using ThreadExporter.Collection;
using ThreadExporter.Configuration;
using ThreadExporter.Exposition;
using ThreadExporter.Exposition.Buffers;
using ThreadExporter.Matching;
using ThreadExporter.Procfs;
using ThreadExporter.Settings;
using ThreadExporter.Text;

namespace ThreadExporter.Commands;

/// <summary><c>check</c> and <c>once</c>: one collection without a daemon.</summary>
internal static class InspectCommands
{
    /// <summary>Validates the configuration and lists what it matches now.</summary>
    public static int Check(Invocation invocation) => WithCollection(invocation, (state, _, collector) =>
    {
        collector.Collect(state.Current);
        Console.Out.WriteLine($"{Printable.Of(state.DisplayPath)}: {Plural.Count(state.Current.Config.Filters.Length, "filter", "filters")}, good");
        if (state.Current.TlsWarning is { } certificate)
            Console.Out.WriteLine(Printable.Of($"warning: {certificate}"));
        foreach (string warning in state.Current.Matcher.TakeWarnings().Concat(collector.TakeWarnings()))
            Console.Out.WriteLine(Printable.Of($"warning: {warning}"));
        if (state.Current.Config.Filters.IsEmpty)
            Console.Out.WriteLine("warning: no filter is given, so nothing is watched");
        List<string[]> rows = [["FILTER", "PID", "NAME", "DAEMON", "THREADS"]];
        foreach (FilterConfig filter in state.Current.Config.Filters)
        {
            int before = rows.Count;
            rows.AddRange(collector.Processes.Where(p => p.Filter.Name == filter.Name).Select(p => (string[])
            [
                Printable.Of(filter.Name),
                p.Pid.ToString(CultureInfo.InvariantCulture),
                Printable.Of(ProcText.Decode(p.Name)),
                Printable.Of(ProcText.Decode(p.Daemon)),
                p.Threads.Count.ToString(CultureInfo.InvariantCulture),
            ]));
            if (rows.Count == before)
                rows.Add([Printable.Of(filter.Name), "-", "matches nothing now", "-", "-"]);
        }
        if (rows.Count > 1)
            PrintTable(rows);
        return ExitCode.Success;
    });

    /// <summary>Prints one collection in the text format.</summary>
    public static int Once(Invocation invocation) => WithCollection(invocation, (state, scrapes, _) =>
    {
        // Without its user a filter matches nothing, which the metrics do not explain.
        foreach (string warning in state.Current.Matcher.Users.TakeWarnings())
            Console.Error.WriteLine($"warning: {warning}");
        PooledBuffer text = scrapes.GetAsync(default).GetAwaiter().GetResult();
        using Stream output = Console.OpenStandardOutput();
        foreach (ReadOnlyMemory<byte> piece in text.Segments)
            output.Write(piece.Span);
        text.Release();
        return ExitCode.Success;
    });

    private static int WithCollection(Invocation invocation, Func<ConfigHolder, ScrapeCoordinator, Collector, int> use)
    {
        ConfigHolder? state = ConfigHolder.Load(invocation.ConfigPath, invocation.ConfigMayBeMissing, invocation.Overrides, out ImmutableArray<ConfigError> errors, UserDirectory.Slow);
        if (state is null)
        {
            foreach (ConfigError error in errors)
                Console.Error.WriteLine(error);
            return ExitCode.BadConfig;
        }
        using ProcfsRoot root = ProcfsRoot.Open(ProcfsRoot.Detect(state.Current.Config.Collector.Procfs));
        using Collector collector = new(root);
        SelfMetrics metrics = new();
        metrics.ReloadSuccessful.Set(1);
        metrics.ReloadTimestamp.Set(state.Current.LoadedAt.ToUnixTimeMilliseconds() / 1000.0);
        metrics.LogFileWritable.Set(1);
        ScrapeCoordinator scrapes = new(collector, new CollectionGate(), metrics, () => state.Current);
        return use(state, scrapes, collector);
    }

    private static void PrintTable(List<string[]> rows)
    {
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(i => rows.Max(r => r[i].Length))];
        foreach (string[] row in rows)
            Console.Out.WriteLine(string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd());
    }
}
