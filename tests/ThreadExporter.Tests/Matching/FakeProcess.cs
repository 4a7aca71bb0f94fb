using System.Globalization;
using System.Runtime.Versioning;
using System.Text;
using ThreadExporter.Linux;
using ThreadExporter.Matching;
using ThreadExporter.Procfs;

[assembly: SupportedOSPlatform("linux")]

namespace ThreadExporter.Tests.Matching;

/// <summary>A process directory of plain files, and the properties read from it. Files that are not given do not exist.</summary>
internal sealed class FakeProcess : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("thread-exporter-test-");
    private readonly int _fd;
    private readonly byte[] _comm;
    private readonly byte[]? _cmdline;
    private readonly bool _kernelThread;
    private readonly int _pid;

    public FakeProcess(int pid = 100, string comm = "worker", uint? uid = null, string? cgroup = null, string? cmdline = "worker|-f",
        string? exe = null, bool kernelThread = false, byte[]? rawComm = null)
    {
        _pid = pid;
        _comm = rawComm ?? Encoding.UTF8.GetBytes(comm);
        _cmdline = cmdline is null ? null : Encoding.UTF8.GetBytes(cmdline.Length == 0 ? "" : cmdline.Replace('|', '\0') + '\0');
        _kernelThread = kernelThread;
        if (uid is not null)
            Write("status", string.Create(CultureInfo.InvariantCulture, $"Name:\t{comm}\nUmask:\t0022\nState:\tS (sleeping)\nUid:\t7\t{uid}\t8\t9\nGid:\t1\t1\t1\t1\n"));
        if (cgroup is not null)
            Write("cgroup", cgroup);
        if (exe is not null)
            File.CreateSymbolicLink(Path.Combine(_directory.FullName, "exe"), exe);
        Assert.Equal(ReadStatus.Ok, RawFile.OpenRoot(_directory.FullName, out _fd));
        Info = NewInfo();
    }

    public ProcessInfo Info { get; private set; }

    /// <summary>How often the command line was read.</summary>
    public int CommandLineReads { get; private set; }

    /// <summary>If not empty, the command line was cut, and this is its end.</summary>
    public byte[] CommandLineTail { get; init; } = [];

    /// <summary>Set when reading the command line would be an error.</summary>
    public bool ForbidCommandLine { get; init; }

    /// <summary>The same process with nothing read yet.</summary>
    public ProcessInfo NewInfo() => Info = new ProcessInfo(_pid, startTicks: 5000, _comm, _fd, ReadCommandLine) { KernelThread = _kernelThread };

    public void Write(string file, string text) => File.WriteAllText(Path.Combine(_directory.FullName, file), text);

    /// <summary>Only root can access the directory until <see cref="Allow"/>.</summary>
    public void Deny() => File.SetUnixFileMode(_directory.FullName, UnixFileMode.None);

    public void Allow() => File.SetUnixFileMode(_directory.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    public void Dispose()
    {
        RawFile.Close(_fd);
        _directory.Delete(recursive: true);
    }

    private CommandLineBytes? ReadCommandLine(int pid, int dirFd)
    {
        Assert.Equal(_pid, pid);
        Assert.Equal(_fd, dirFd);
        Assert.False(ForbidCommandLine, "the command line was read though a cheaper key had decided");
        CommandLineReads++;
        return _cmdline is null ? null : new CommandLineBytes(_cmdline, CommandLineTail);
    }
}
