using System.Globalization;

namespace ThreadExporter.Tests.Support;

/// <summary>A /proc of tens of thousands of processes or threads in memory: each has a directory of its own, all share the files in them.</summary>
internal sealed class LinkedProc : IDisposable
{
    private readonly string _stat;
    private readonly string _schedStat;

    public LinkedProc()
    {
        Root = Directory.Exists("/dev/shm") ? Directory.CreateDirectory($"/dev/shm/te-proc-{Guid.NewGuid():N}").FullName : Directory.CreateTempSubdirectory("te-proc-").FullName;
        Directory.CreateDirectory(Path.Combine(Root, "self"));
        _schedStat = Path.Combine(Root, "self/schedstat");
        File.WriteAllText(_schedStat, "1000 20 3\n");
        _stat = Path.Combine(Root, "stat");
        File.WriteAllText(_stat, "7 (other) S 1 1 1 0 -1 4194304 10 0 0 0 5 5 0 0 20 0 2 0 100 1000000 100 0 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0\n");
    }

    public string Root { get; }

    /// <summary>Processes of one name, in sequence.</summary>
    public void Processes(int first, int count)
    {
        for (int pid = first; pid < first + count; pid++)
            Libc.Link(_stat, Make(pid.ToString(CultureInfo.InvariantCulture)) + "/stat");
    }

    /// <summary>Threads of a process, in sequence from its pid.</summary>
    public void Threads(int pid, int count)
    {
        for (int tid = pid; tid < pid + count; tid++)
        {
            string directory = Make(string.Create(CultureInfo.InvariantCulture, $"{pid}/task/{tid}"));
            Libc.Link(_stat, directory + "/stat");
            Libc.Link(_schedStat, directory + "/schedstat");
        }
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private string Make(string directory) => Directory.CreateDirectory(Path.Combine(Root, directory)).FullName;
}
