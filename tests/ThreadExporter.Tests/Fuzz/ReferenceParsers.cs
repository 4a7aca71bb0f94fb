using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ThreadExporter.Linux;
using ThreadExporter.Procfs;

namespace ThreadExporter.Tests.Fuzz;

/// <summary>The formats of /proc as regular expressions, slow and simple: each parser must accept the same input and give the same values.</summary>
internal static partial class ReferenceParsers
{
    private const string Disagree = "the parser and its twin do not agree";

    public static string? Stat(ReadOnlySpan<byte> input, out bool good)
    {
        good = Procfs.ProcStat.TryParse(input, out ProcStat stat);
        Match match = StatText().Match(Encoding.Latin1.GetString(input));
        string[] fields = ["", "", "", "", .. match.Groups["numbers"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        bool expected = match.Success
            && IsUpTo(match.Groups["pid"].Value, int.MaxValue)
            && fields[4..].All(f => IsUpTo(f.TrimStart('-'), ulong.MaxValue))
            && new[] { 4, 20, 39 }.All(i => IsUpTo(fields[i], int.MaxValue))
            && IsUpTo(fields[9], uint.MaxValue)
            && IsUpTo(fields[22], Clocks.LongestTicks)
            && new[] { 10, 12, 14, 15 }.All(i => IsUpTo(fields[i], ulong.MaxValue));
        if (good != expected)
            return Disagree;
        return !good || (Text(stat.Pid) == match.Groups["pid"].Value.TrimStart('0').PadLeft(1, '0') && Encoding.Latin1.GetString(stat.Comm) == match.Groups["comm"].Value
            && stat.State == match.Groups["state"].Value[0] && Number(stat.Flags, fields[9]) && Number(stat.UserTicks, fields[14]) && Number(stat.KernelTicks, fields[15])
            && Number((ulong)stat.NumThreads, fields[20]) && Number(stat.StartTicks, fields[22])) ? null : Disagree;
    }

    public static string? SchedStat(ReadOnlySpan<byte> input, out bool good)
    {
        good = Procfs.ProcSchedstat.TryParse(input, out ProcSchedstat sched);
        Match match = SchedStatText().Match(Encoding.Latin1.GetString(input));
        string[] numbers = [.. match.Groups.Values.Skip(1).Select(g => g.Value)];
        if (good != (match.Success && numbers.All(n => IsUpTo(n, ulong.MaxValue))))
            return Disagree;
        return !good || (Count(sched.RunNanoseconds, numbers[0]) && Count(sched.WaitNanoseconds, numbers[1]) && Count(sched.Timeslices, numbers[2]))
            ? null : Disagree;
    }

    public static string? Status(ReadOnlySpan<byte> input, out bool good)
    {
        good = Procfs.ProcStatus.TryParse(input, out ProcStatus status);
        string text = Encoding.Latin1.GetString(input);
        string uid = "", nspid = "0";
        int nspids = 0;
        bool expected = true;
        // Text after the last newline was cut.
        foreach (string line in text.Split('\n')[..^1])
        {
            string[] values = line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Split('\t');
            expected &= line.Contains(':', StringComparison.Ordinal);
            switch (line.Split(':')[0])
            {
                case "Uid":
                    expected &= values.Length == 5 && values[0].Length == 0 && values[1..].All(v => IsUpTo(v, uint.MaxValue));
                    uid = expected ? values[2] : "";
                    break;
                case "NSpid":
                    expected &= values.Length > 1 && values[0].Length == 0 && values[1..].All(v => IsUpTo(v, int.MaxValue));
                    (nspid, nspids) = expected ? (values[1], values.Length - 1) : ("0", 0);
                    break;
                case "voluntary_ctxt_switches" or "nonvoluntary_ctxt_switches":
                    expected &= values.Length == 2 && values[0].Length == 0 && IsUpTo(values[1], ulong.MaxValue);
                    break;
            }
        }
        if (good != (expected && uid.Length > 0))
            return Disagree;
        return !good || (Number(status.EffectiveUid, uid) && status.NspidCount == nspids && Number((ulong)status.Nspid, nspid)) ? null : Disagree;
    }

    public static string? Cgroup(ReadOnlySpan<byte> input, out bool good)
    {
        List<CgroupEntry> entries = [];
        good = Procfs.ProcCgroup.TryParse(input, entries);
        string text = Encoding.Latin1.GetString(input);
        Match[] lines = [.. text.Split('\n')[..^1].Select(line => CgroupLine().Match(line))];
        bool expected = (text.Length == 0 || text.EndsWith('\n')) && lines.All(m => m.Success && IsUpTo(m.Groups[1].Value, int.MaxValue));
        if (good != expected || (!good && entries.Count > 0))
            return Disagree;
        return !good || entries.SequenceEqual(lines.Select(m => new CgroupEntry(
            int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture), Decoded(m.Groups[2].Value), Decoded(m.Groups[3].Value)))) ? null : Disagree;

        static string Decoded(string latin1) => ProcText.Decode(Encoding.Latin1.GetBytes(latin1));
    }

    public static string? CpuStat(ReadOnlySpan<byte> input, out bool good)
    {
        good = CgroupCpuStat.TryParse(input, out CgroupCpuStat stat);
        Dictionary<string, string> known = [];
        bool expected = true;
        foreach (string line in Encoding.Latin1.GetString(input).Split('\n')[..^1])
        {
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            expected &= space >= 0;
            if (space < 0 || line[..space] is not ("usage_usec" or "nr_periods" or "nr_throttled" or "throttled_usec" or "throttled_time"))
                continue;
            expected &= IsUpTo(line[(space + 1)..], ulong.MaxValue);
            known[line[..space].StartsWith("throttled_", StringComparison.Ordinal) ? "throttled" : line[..space]] =
                line[..space].EndsWith("_usec", StringComparison.Ordinal) ? Thousandfold(line[(space + 1)..]) : line[(space + 1)..];
        }
        if (good != (expected && known.Count > 0))
            return Disagree;
        return !good || (Agrees("usage_usec", stat.CpuNanoseconds) && Agrees("nr_periods", stat.Periods) && Agrees("nr_throttled", stat.ThrottledPeriods)
            && Agrees("throttled", stat.ThrottledNanoseconds)) ? null : Disagree;

        bool Agrees(string key, long value) => known.TryGetValue(key, out string? digits) ? Count(value, digits) : value == -1;
    }

    public static string? CpuMax(ReadOnlySpan<byte> input, out bool good)
    {
        good = CgroupCpuMax.TryParse(input, out CgroupCpuMax limit);
        Match match = CpuMaxText().Match(Encoding.Latin1.GetString(input));
        (string quota, string period) = (match.Groups[1].Value, match.Groups[2].Value);
        if (good != (match.Success && (quota == "max" || IsUpTo(quota, long.MaxValue)) && IsUpTo(period, long.MaxValue) && period.Trim('0').Length > 0))
            return Disagree;
        return !good || ((quota == "max" ? limit.QuotaMicroseconds == -1 : Number((ulong)limit.QuotaMicroseconds, quota)) && Number((ulong)limit.PeriodMicroseconds, period)
            && limit.Nanocores >= -1) ? null : Disagree;
    }

    public static string? CpuPressure(ReadOnlySpan<byte> input, out bool good)
    {
        good = CgroupPressure.TryParse(input, out CgroupPressure pressure);
        Match match = CpuPressureText().Match(Encoding.Latin1.GetString(input));
        if (good != (match.Success && IsUpTo(match.Groups[1].Value, ulong.MaxValue)))
            return Disagree;
        return !good || Count(pressure.SomeNanoseconds, Thousandfold(match.Groups[1].Value)) ? null : Disagree;
    }

    public static string? Number(ReadOnlySpan<byte> input, out bool good)
    {
        good = CgroupNumber.TryParse(input, out long value);
        Match match = NumberText().Match(Encoding.Latin1.GetString(input));
        if (good != (match.Success && IsUpTo(match.Groups[2].Value, ulong.MaxValue)))
            return Disagree;
        return !good || (match.Groups[1].Length > 0 ? value == -1 : Count(value, match.Groups[2].Value)) ? null : Disagree;
    }

    public static string? Loadavg(ReadOnlySpan<byte> input, out bool good)
    {
        good = ProcLoadavg.TryParse(input, out ProcLoadavg loadavg);
        Match match = LoadavgText().Match(Encoding.Latin1.GetString(input));
        (string tasks, string last) = (match.Groups[1].Value, match.Groups[2].Value);
        if (good != (match.Success && IsUpTo(tasks, int.MaxValue) && IsUpTo(last, int.MaxValue) && tasks.Trim('0').Length > 0 && last.Trim('0').Length > 0))
            return Disagree;
        return !good || (Number((ulong)loadavg.Tasks, tasks) && Number((ulong)loadavg.LastPid, last)) ? null : Disagree;
    }

    private static string Thousandfold(string digits) => digits.Trim('0').Length == 0 ? digits : digits + "000";

    private static bool IsUpTo(string digits, ulong limit) =>
        digits.Length > 0 && !digits.AsSpan().ContainsAnyExceptInRange('0', '9') && digits.TrimStart('0') is var significant
        && (significant.Length == 0 || (ulong.TryParse(significant, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) && value <= limit));

    private static bool Number(ulong value, string digits) => value == ulong.Parse(digits, CultureInfo.InvariantCulture);

    /// <summary>A count that does not fit in a long is unknown, -1.</summary>
    private static bool Count(long value, string digits) => IsUpTo(digits, long.MaxValue) ? Number((ulong)value, digits) : value == -1;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\A[^/]*/([0-9]+) ([0-9]+)\n\z")]
    private static partial Regex LoadavgText();

    [GeneratedRegex(@"\A(?<pid>[0-9]+) \((?<comm>[\s\S]{0,64})\) (?<state>[A-Za-z])(?<numbers>(?: -?[0-9]+){36})[ \n][^)]*\z")]
    private static partial Regex StatText();

    [GeneratedRegex(@"\A([0-9]+) ([0-9]+) ([0-9]+)\n\z")]
    private static partial Regex SchedStatText();

    [GeneratedRegex(@"\A(max|[0-9]+) ([0-9]+)\n\z")]
    private static partial Regex CpuMaxText();

    // The first " total=" of the line counts.
    [GeneratedRegex(@"\A(?=some )(?:(?! total=)[^\n])* total=([0-9]+)\n")]
    private static partial Regex CpuPressureText();

    [GeneratedRegex(@"\A(-?)([0-9]+)\n\z")]
    private static partial Regex NumberText();

    [GeneratedRegex(@"\A([0-9]+):([^:]*):(/.*)\z", RegexOptions.Singleline)]
    private static partial Regex CgroupLine();
}
