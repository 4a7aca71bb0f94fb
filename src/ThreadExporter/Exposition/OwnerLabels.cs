using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using ThreadExporter.Cgroups;
using ThreadExporter.Model;

namespace ThreadExporter.Exposition;

/// <summary>Renders the label sets of a process or a group and of its series: once, and again when a label changes.</summary>
internal static class OwnerLabels
{
    /// <summary>Renders the label sets of what is shown of this owner, those that are not current.</summary>
    public static void Render(SeriesOwner owner)
    {
        byte[]? buffer = null;
        int version = owner.LabelsVersion;
        if (!owner.RenderedLabels.IsCurrent(version))
            owner.RenderedLabels.Set(Render(buffer = RentFor(owner), owner, series: null), version);
        (int, long) shown = (version, owner.Selection.ShownVersion);
        if (owner.RenderedSeries != shown)
        {
            foreach (ThreadSeries series in CollectionsMarshal.AsSpan(owner.Selection.Shown))
            {
                if (!series.RenderedLabels.IsCurrent(version))
                    series.RenderedLabels.Set(Render(buffer ??= RentFor(owner), owner, series), version);
            }
            owner.RenderedSeries = shown;
        }
        if (owner is WatchedProcess && owner.Exits is { } exits)
        {
            foreach (ExitedSeries series in exits.Names.Series)
            {
                if (!series.RenderedLabels.IsCurrent(version))
                    series.RenderedLabels.Set(With(owner.RenderedLabels.Text!, "tname"u8, series.Name), version);
            }
        }
        if (buffer is not null)
            ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>Renders the label sets of exited processes; they never change.</summary>
    public static void Render(ExitedProcess process)
    {
        if (!process.RenderedLabels.IsCurrent(version: 1))
        {
            byte[] filter = Encoding.UTF8.GetBytes(process.Filter);
            int values = process.Daemon.Length + process.Name.Length + process.CgroupLabels.Sum(l => 32 + l.Value.Length);
            LabelText text = new(new byte[128 + LabelText.MaxLength(filter.Length + values)]);
            text.Add("filter"u8, filter);
            text.Add("daemon"u8, process.Daemon);
            text.Add("pname"u8, process.Name);
            foreach ((string name, byte[] value) in process.CgroupLabels)
                text.Add(Encoding.UTF8.GetBytes(name), value);
            process.RenderedLabels.Set(text.Finish(), version: 1);
        }
        foreach (ExitedSeries series in process.Names.Series)
        {
            if (!series.RenderedLabels.IsCurrent(version: 1))
                series.RenderedLabels.Set(With(process.RenderedLabels.Text!, "tname"u8, series.Name), version: 1);
        }
    }

    /// <summary>The label set of a cgroup.</summary>
    public static byte[] Of(CgroupNode cgroup)
    {
        if (cgroup.LabelText is null)
        {
            byte[] path = Encoding.UTF8.GetBytes(cgroup.Path);
            LabelText text = new(new byte[64 + LabelText.MaxLength(path.Length)]);
            text.Add("cgroup"u8, path);
            cgroup.LabelText = text.Finish();
        }
        return cgroup.LabelText;
    }

    /// <summary>The label set that joins a process or a group, whose labels are rendered, with a cgroup.</summary>
    public static byte[] Of(SeriesOwner owner, CgroupNode cgroup)
    {
        if (owner is not WatchedProcess { Cgroup: { } own })
            return With(owner.RenderedLabels.Text!, "cgroup"u8, Encoding.UTF8.GetBytes(cgroup.Path));
        if (!own.RenderedLabels.IsCurrent(owner.LabelsVersion))
            own.RenderedLabels.Set(With(owner.RenderedLabels.Text!, "cgroup"u8, Encoding.UTF8.GetBytes(cgroup.Path)), owner.LabelsVersion);
        return own.RenderedLabels.Text!;
    }

    /// <summary>A label set with one more label at its end.</summary>
    private static byte[] With(byte[] labels, ReadOnlySpan<byte> name, byte[] value)
    {
        LabelText text = new(new byte[64 + LabelText.MaxLength(value.Length)]);
        text.Add(name, value);
        // Both have braces.
        return [.. labels.AsSpan(0, labels.Length - 1), (byte)',', .. text.Finish().AsSpan(1)];
    }

    private static byte[] Render(byte[] buffer, SeriesOwner owner, ThreadSeries? series)
    {
        LabelText text = new(buffer);
        if (owner is WatchedProcess process)
        {
            text.Add("daemon"u8, process.Daemon);
            text.Add(series is null ? "pid"u8 : "ppid"u8, process.Pid);
            text.Add("pname"u8, process.Name);
        }
        else if (owner is ProcessGroup group)
        {
            // The filter keeps the label sets of two groups apart.
            text.Add("filter"u8, Encoding.UTF8.GetBytes(group.Key.Filter));
            text.Add("daemon"u8, group.Daemon);
            text.Add("pname"u8, group.Name);
        }
        if (series is not null)
        {
            if (!series.IsNameSeries)
                text.Add("tid"u8, series.Tid);
            text.Add("tname"u8, series.Name);
        }
        foreach ((string name, byte[] value) in owner.CgroupLabels)
            text.Add(Encoding.UTF8.GetBytes(name), value);
        return text.Finish();
    }

    // 256 bytes for a task name, which has at most 64 (kernel workers), and 128 for label names and numbers.
    private static byte[] RentFor(SeriesOwner owner)
    {
        int filter = owner is ProcessGroup group ? Encoding.UTF8.GetByteCount(group.Key.Filter) : 0;
        return ArrayPool<byte>.Shared.Rent(
            128 + LabelText.MaxLength(filter + owner.Daemon.Length + owner.Name.Length + 256 + owner.CgroupLabels.Sum(l => 32 + l.Value.Length)));
    }
}
