using System.Text;
using ThreadExporter.Linux;
using ThreadExporter.Procfs;

namespace ThreadExporter.Cgroups;

/// <summary>
/// Reads cgroups: the counters each time; the limit when it is due, and when periods pass although no limit is known. Needs no privilege.
/// </summary>
internal sealed class CgroupReader(bool isVersion2)
{
    private readonly byte[] _buffer = new byte[4096];
    private readonly byte[] _period = new byte[64];

    /// <summary>How many descriptors may be kept.</summary>
    public int Room { get; set; }

    /// <summary>How many descriptors are kept.</summary>
    public int Kept { get; private set; }

    /// <summary>Nanoseconds after which a limit is read again.</summary>
    public long RefreshInterval { get; set; } = 60_000_000_000;

    /// <summary>Reads a cgroup.</summary>
    /// <param name="node">The cgroup.</param>
    /// <param name="isMember">A watched process is in it. Of others without a limit only what shows a new limit is read.</param>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    /// <returns>Ok when one of its files was read; else why <c>cpu.stat</c> was not, and what is known stays.</returns>
    public ReadStatus Read(CgroupNode node, bool isMember, long now)
    {
        CgroupReading reading = node.Reading;
        long periods = reading.Counters[CgroupCounter.Periods];
        ReadStatus status = ReadStat(reading, out bool isAnother);
        bool hasNewPeriods = periods >= 0 && reading.Counters[CgroupCounter.Periods] > periods;
        if (now >= reading.LimitDueAt || isAnother || (hasNewPeriods && !node.IsLimited))
        {
            reading.Limit = ReadLimit(node.Directory);
            reading.LimitDueAt = NextRefresh(node, now);
            // Also when there was none: it can be switched on for each cgroup.
            if (isVersion2)
                reading.Pressure ??= new CgroupFile($"{node.Directory}/cpu.pressure");
        }
        bool hasUsage = false;
        if (isMember || node.IsLimited)
        {
            ReadPressure(reading);
            hasUsage = ReadUsage(reading);
        }
        reading.IsReadable = status == ReadStatus.Ok || hasUsage;
        return reading.IsReadable ? ReadStatus.Ok : status;
    }

    /// <summary>Adds the file with its CPU time, of version 1.</summary>
    public static void AddUsage(CgroupNode node, string directory) => node.Reading.Usage = new CgroupFile($"{directory}/cpuacct.usage");

    /// <summary>Closes what is kept of a cgroup.</summary>
    public void Close(CgroupNode node)
    {
        foreach (CgroupFile? file in (ReadOnlySpan<CgroupFile?>)[node.Reading.Stat, node.Reading.Pressure, node.Reading.Usage])
        {
            if (file is not { IsKept: true })
                continue;
            file.Close();
            Kept--;
        }
    }

    private ReadStatus ReadStat(CgroupReading reading, out bool isAnother)
    {
        ReadStatus status = Read(reading.Stat, out ReadOnlySpan<byte> text, out isAnother);
        if (status != ReadStatus.Ok)
            return status;
        if (!CgroupCpuStat.TryParse(text, out CgroupCpuStat stat))
            return ReadStatus.Malformed;
        reading.Book(CgroupCounter.Periods, stat.Periods, isAnother);
        reading.Book(CgroupCounter.ThrottledPeriods, stat.ThrottledPeriods, isAnother);
        reading.Book(CgroupCounter.Throttled, stat.ThrottledNanoseconds, isAnother);
        if (isVersion2)
            reading.Book(CgroupCounter.Cpu, stat.CpuNanoseconds, isAnother);
        return status;
    }

    private void ReadPressure(CgroupReading reading)
    {
        if (reading.Pressure is not { } file)
            return;
        bool isOn = Read(file, out ReadOnlySpan<byte> text, out bool isAnother) == ReadStatus.Ok & CgroupPressure.TryParse(text, out CgroupPressure pressure);
        reading.Book(CgroupCounter.Pressure, isOn ? pressure.SomeNanoseconds : -1, isAnother);
        // Not looked for again before the limit is.
        if (!isOn && !file.IsKept)
            reading.Pressure = null;
    }

    private bool ReadUsage(CgroupReading reading)
    {
        if (reading.Usage is not { } file || Read(file, out ReadOnlySpan<byte> text, out bool isAnother) != ReadStatus.Ok || !CgroupNumber.TryParse(text, out long usage))
            return false;
        reading.Book(CgroupCounter.Cpu, usage, isAnother);
        return usage >= 0;
    }

    private ReadStatus Read(CgroupFile file, out ReadOnlySpan<byte> text, out bool isAnother)
    {
        bool wasKept = file.IsKept;
        ReadStatus status = file.Read(_buffer, keep: wasKept ? Kept <= Room : Kept < Room, out int length, out isAnother);
        Kept += (file.IsKept ? 1 : 0) - (wasKept ? 1 : 0);
        text = _buffer.AsSpan(0, length);
        return status;
    }

    private long ReadLimit(string directory)
    {
        CgroupCpuMax limit;
        if (isVersion2)
            return TryRead($"{directory}/cpu.max", _buffer, out ReadOnlySpan<byte> text) && CgroupCpuMax.TryParse(text, out limit) ? limit.Nanocores : -1;
        return TryRead($"{directory}/cpu.cfs_quota_us", _buffer, out ReadOnlySpan<byte> quota) && !quota.StartsWith((byte)'-')
            && TryRead($"{directory}/cpu.cfs_period_us", _period, out ReadOnlySpan<byte> period) && CgroupCpuMax.TryParse(quota, period, out limit) ? limit.Nanocores : -1;
    }

    private static bool TryRead(string path, byte[] buffer, out ReadOnlySpan<byte> text)
    {
        text = default;
        if (RawFile.OpenAbsolute(Encoding.UTF8.GetBytes(path + '\0'), out int descriptor) != ReadStatus.Ok)
            return false;
        ReadStatus status = RawFile.ReadAt(descriptor, buffer, out int length);
        RawFile.Close(descriptor);
        text = buffer.AsSpan(0, length);
        return status == ReadStatus.Ok;
    }

    // Each cgroup has a fixed offset within the interval, so that those that were found together are not read together.
    private long NextRefresh(CgroupNode node, long now)
    {
        double spread = (uint)node.Path.GetHashCode(StringComparison.Ordinal) / (uint.MaxValue + 1.0);
        return now + RefreshInterval - (now + (long)(RefreshInterval * spread)) % RefreshInterval;
    }
}
