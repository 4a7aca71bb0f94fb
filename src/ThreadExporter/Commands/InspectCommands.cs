using System.Collections.Immutable;
using System.Globalization;
using ThreadExporter.Cgroups;
using ThreadExporter.Collection;
using ThreadExporter.Configuration;
using ThreadExporter.Exposition;
using ThreadExporter.Exposition.Buffers;
using ThreadExporter.Matching;
using ThreadExporter.Procfs;
using ThreadExporter.Recording;
using ThreadExporter.Roles;
using ThreadExporter.Settings;
using ThreadExporter.Text;

namespace ThreadExporter.Commands;

/// <summary><c>check</c> and <c>once</c>: one collection without a daemon.</summary>
internal static class InspectCommands
{
    /// <summary>Validates the configuration and the role files, and lists the processes that the configuration matches.</summary>
    public static int Check(Invocation invocation)
    {
        int code = CheckConfig(invocation);
        ImmutableArray<ConfigError> errors = RoleCatalog.Load(RoleFolders.Default).Errors;
        foreach (ConfigError error in errors)
            Console.Error.WriteLine(error);
        // A reload would fail.
        return errors.IsEmpty || code != ExitCode.Success ? code : ExitCode.BadConfig;
    }

    private static int CheckConfig(Invocation invocation) => WithCollection(invocation, (holder, _, collector) =>
    {
        collector.Collect(holder.Current);
        Console.Out.WriteLine($"{Printable.Of(holder.DisplayPath)}: OK ({Plural.Count(holder.Current.Config.Filters.Length, "filter", "filters")})");
        if (holder.Current.TlsWarning is { } certificate)
            Console.Out.WriteLine(Printable.Of($"warning: {certificate}"));
        foreach (string warning in holder.Current.Matcher.TakeWarnings().Concat(collector.TakeWarnings()))
            Console.Out.WriteLine(Printable.Of($"warning: {warning}"));
        CgroupfsRoot.Open(holder.Current.Config.Collector.Cgroupfs, out string cgroups);
        Console.Out.WriteLine(Printable.Of(cgroups));
        Console.Out.WriteLine(Printable.Of(ExitSubscription.Check(holder.Current.Config.Collector.Exits)));
        Console.Out.WriteLine(Printable.Of(RecorderDirectory.Describe(holder.Current.Config.Recorder, RecorderDirectory.StateDirectory)));
        if (holder.Current.Config.Filters.IsEmpty)
            Console.Out.WriteLine("warning: no filter is configured, nothing is watched");
        List<string[]> rows = [["FILTER", "PID", "NAME", "DAEMON", "THREADS"]];
        foreach (FilterConfig filter in holder.Current.Config.Filters)
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
                rows.Add([Printable.Of(filter.Name), "-", "no match", "-", "-"]);
        }
        if (rows.Count > 1)
            TextTable.Print(rows);
        return ExitCode.Success;
    });

    /// <summary>Prints one collection in the text format.</summary>
    public static int Once(Invocation invocation) => WithCollection(invocation, (holder, scrapes, _) =>
    {
        // A filter whose user is unknown matches nothing, and the metrics do not show why.
        foreach (string warning in holder.Current.Matcher.Users.TakeWarnings())
            Console.Error.WriteLine($"warning: {warning}");
        PooledBuffer text = scrapes.GetAsync(default).GetAwaiter().GetResult();
        using Stream output = Console.OpenStandardOutput();
        foreach (ReadOnlyMemory<byte> segment in text.Segments)
            output.Write(segment.Span);
        text.Release();
        return ExitCode.Success;
    });

    private static int WithCollection(Invocation invocation, Func<ConfigHolder, ScrapeCoordinator, Collector, int> use)
    {
        ConfigHolder? holder = ConfigHolder.Load(
            invocation.ConfigPath, invocation.ConfigMayBeMissing, invocation.Overrides, out ConfigResult loaded, UserDirectory.Slow);
        if (holder is null)
        {
            foreach (ConfigError error in loaded.Errors)
                Console.Error.WriteLine(error);
            return ExitCode.BadConfig;
        }
        using ProcfsRoot root = ProcfsRoot.Open(ProcfsRoot.Detect(holder.Current.Config.Collector.Procfs));
        CgroupfsRoot? cgroupfs = CgroupfsRoot.Open(holder.Current.Config.Collector.Cgroupfs, out _);
        using Collector collector = new(root, cgroups: cgroupfs is null ? null : new CgroupTable(cgroupfs));
        SelfMetrics metrics = new();
        metrics.ReloadSuccessful.Set(1);
        metrics.ReloadTimestamp.Set(holder.Current.LoadedAt.ToUnixTimeMilliseconds() / 1000.0);
        metrics.LogFileWritable.Set(1);
        ScrapeCoordinator scrapes = new(collector, new CollectionGate(), metrics, () => holder.Current);
        return use(holder, scrapes, collector);
    }
}
