using ThreadExporter.Model;

namespace ThreadExporter.Exposition;

/// <summary>Renders the metrics of exited threads and processes. A family without series is left out.</summary>
internal static class ExitedMetrics
{
    /// <summary>Exited threads of processes with <c>detail = "tid"</c>; with <c>"name"</c> they are in the name series.</summary>
    public static void Threads(IReadOnlyList<SeriesOwner> owners, ExpositionWriter writer)
    {
        List<ExitedSeries> shown = [];
        foreach (SeriesOwner owner in owners)
        {
            if (owner is WatchedProcess && owner.Exits is { } exits)
                shown.AddRange(exits.Names.Series);
        }
        Write(shown, MetricCatalog.ProcessExited, MetricCatalog.ProcessExits, writer);
    }

    public static void Processes(IEnumerable<ExitedProcess> processes, ExpositionWriter writer)
    {
        List<ExitedProcess> shown = [.. processes];
        if (shown.Count == 0)
            return;
        foreach (ExitedProcess process in shown)
            OwnerLabels.Render(process);
        Write([.. shown.SelectMany(p => p.Names.Series)], MetricCatalog.ExitedProcessesCpu, null, writer);
        writer.Head(MetricCatalog.ExitedProcesses);
        foreach (ExitedProcess process in shown)
            writer.Number(MetricCatalog.ExitedProcesses.Utf8Name, process.RenderedLabels.Text, process.ShownExits);
    }

    private static void Write(List<ExitedSeries> shown, MetricFamily cpu, MetricFamily? exits, ExpositionWriter writer)
    {
        if (shown.Count == 0)
            return;
        writer.Head(cpu);
        foreach (ExitedSeries series in shown)
            writer.Seconds(cpu.Utf8Name, series.RenderedLabels.Text, series.Cpu);
        if (exits is null)
            return;
        writer.Head(exits);
        foreach (ExitedSeries series in shown)
            writer.Number(exits.Utf8Name, series.RenderedLabels.Text, series.Exits);
    }
}
