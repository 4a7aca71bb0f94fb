using System.Globalization;

namespace ThreadExporter.Tests.Support;

/// <summary>What the kernel reports of a thread now, read by other code than the collector's.</summary>
internal static class Kernel
{
    public static char State(int pid, int tid, string procfs = "/proc") => AfterName($"{procfs}/{pid}/task/{tid}/stat")[0][0];

    /// <summary>Clock ticks since boot.</summary>
    public static ulong Start(int pid, int tid, string procfs = "/proc") =>
        ulong.Parse(AfterName($"{procfs}/{pid}/task/{tid}/stat")[22 - 3], CultureInfo.InvariantCulture);

    public static string Name(int pid, int tid, string procfs = "/proc") => File.ReadAllText($"{procfs}/{pid}/task/{tid}/comm").TrimEnd('\n');

    /// <summary>Nanoseconds on a CPU, nanoseconds waiting for one, times put on one.</summary>
    public static (long Cpu, long Wait, long Timeslices) SchedStat(int pid, int tid, string procfs = "/proc")
    {
        string[] fields = File.ReadAllText($"{procfs}/{pid}/task/{tid}/schedstat").Split(' ');
        return (Number(fields[0]), Number(fields[1]), Number(fields[2]));
    }

    /// <summary>What <c>collector.extended</c> shows of a thread.</summary>
    public static (long Voluntary, long Involuntary, long Minor, long Major, long Read, long Written, long Cpu) Extras(int pid, int tid)
    {
        string[] stat = AfterName($"/proc/{pid}/task/{tid}/stat");
        Dictionary<string, string> lines = File.ReadLines($"/proc/{pid}/task/{tid}/status").Concat(File.ReadLines($"/proc/{pid}/task/{tid}/io"))
            .ToDictionary(l => l[..l.IndexOf(':')], l => l[(l.IndexOf(':') + 1)..].Trim());
        return (Number(lines["voluntary_ctxt_switches"]), Number(lines["nonvoluntary_ctxt_switches"]), Number(stat[10 - 3]), Number(stat[12 - 3]),
            Number(lines["read_bytes"]), Number(lines["write_bytes"]), Number(stat[39 - 3]));
    }

    /// <summary>How many descriptors of this process point into the directory of that one.</summary>
    public static int OwnDescriptorsOn(int pid) => Directory.EnumerateFileSystemEntries("/proc/self/fd").Count(fd =>
    {
        try
        {
            return $"{File.ResolveLinkTarget(fd, returnFinalTarget: false)}/".StartsWith($"/proc/{pid}/", StringComparison.Ordinal);
        }
        catch (FileNotFoundException)
        {
            // Another test has closed it in the meantime.
            return false;
        }
    });

    private static string[] AfterName(string file)
    {
        string text = File.ReadAllText(file);
        return text[(text.LastIndexOf(')') + 2)..].Split(' ');
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
