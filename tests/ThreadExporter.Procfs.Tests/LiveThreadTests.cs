using System.Diagnostics;
using System.Globalization;
using System.Text;
using ThreadExporter.Linux;
using static ThreadExporter.Procfs.Tests.Fixture;


namespace ThreadExporter.Procfs.Tests;

/// <summary>With the running kernel: our own threads in /proc/self/task.</summary>
public sealed class LiveThreadTests : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly byte[] _buffer = new byte[8192];
    private readonly int _task;

    public LiveThreadTests() => Assert.Equal(ReadStatus.Ok, RawFile.OpenDirectory(-100, "/proc/self/task"u8, out _task));

    public void Dispose() => RawFile.Close(_task);

    [Theory]
    [InlineData("plain")]
    [InlineData("(a b ) ( c d) )")]
    [InlineData(") R 1 1 1 1 1 1")]
    [InlineData("a\nb\\c\"d'\te")]
    [InlineData("\xff\xfe\xe9")]
    [InlineData("abcdefghijklmno")]
    [InlineData(" ")]
    [InlineData("")]
    public void A_thread_may_have_any_name(string name) => Libc.OnOwnThread(() =>
    {
        Libc.SetThreadName(Latin1(name));
        int tid = Libc.ThreadId;

        Assert.Equal(ReadStatus.Ok, Read(tid, "stat", out ReadOnlySpan<byte> text));
        Assert.True(ProcStat.TryParse(text, out ProcStat stat));
        Assert.Equal(Latin1(name), stat.Comm.ToArray());
        Assert.Equal(tid, stat.Pid);
        Assert.Equal((byte)'R', stat.State);
        Assert.InRange(stat.Processor, 0, 8191);
        Assert.Equal(ReadStatus.Ok, Read(tid, "comm", out ReadOnlySpan<byte> comm));
        Assert.Equal([.. Latin1(name), (byte)'\n'], comm.ToArray());
    });

    [Fact]
    public void Every_thread_of_every_process_parses()
    {
        // All processes of this host: kernel threads, zombies, processes of other users.
        using ProcfsRoot root = ProcfsRoot.Open("/proc");
        List<int> pids = new();
        Assert.Equal(ReadStatus.Ok, root.ReadPids(pids));
        Assert.Contains(Environment.ProcessId, pids);
        Span<byte> path = stackalloc byte[ProcPath.BufferSize];
        List<CgroupEntry> cgroups = new();
        foreach (int pid in pids)
        {
            string name = $"pid {pid}: ";
            if (RawFile.ReadOnce(root.Fd, ProcPath.Format(path, [], pid, "/stat"u8), _buffer, out int length) == ReadStatus.Ok)
                Assert.True(ProcStat.TryParse(_buffer.AsSpan(0, length), out _), name + Encoding.Latin1.GetString(_buffer, 0, length));
            if (RawFile.ReadOnce(root.Fd, ProcPath.Format(path, [], pid, "/schedstat"u8), _buffer, out length) == ReadStatus.Ok)
                Assert.True(ProcSchedstat.TryParse(_buffer.AsSpan(0, length), out _), name + Encoding.Latin1.GetString(_buffer, 0, length));
            if (RawFile.ReadOnce(root.Fd, ProcPath.Format(path, [], pid, "/status"u8), _buffer, out length) == ReadStatus.Ok)
                Assert.True(ProcStatus.TryParse(_buffer.AsSpan(0, length), out _), name + Encoding.Latin1.GetString(_buffer, 0, length));
            if (RawFile.ReadOnce(root.Fd, ProcPath.Format(path, [], pid, "/cgroup"u8), _buffer, out length) == ReadStatus.Ok)
                Assert.True(ProcCgroup.TryParse(_buffer.AsSpan(0, length), cgroups), name + Encoding.Latin1.GetString(_buffer, 0, length));
        }
    }

    [Fact]
    public void The_listing_is_that_of_the_runtime()
    {
        List<int> before = [], after = [];
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            // Threads start and exit while other tests run: compare when nothing changed in between.
            Assert.Equal(ReadStatus.Ok, RawFile.ListIds(_task, "."u8, before));
            using Process self = Process.GetCurrentProcess();
            List<int> runtime = [.. self.Threads.Cast<ProcessThread>().Select(t => t.Id)];
            Assert.Equal(ReadStatus.Ok, RawFile.ListIds(_task, "."u8, after));
            if (before.SequenceEqual(after) && before.Count == runtime.Count)
            {
                Assert.Equal(before.Order(), runtime.Order());
                Assert.Contains(Libc.ThreadId, before);
                return;
            }
            Assert.True(Stopwatch.GetElapsedTime(start) < Timeout, "the threads of this process kept changing");
        }
    }

    [Fact]
    public void Run_time_of_a_busy_thread_is_nanoseconds()
    {
        Libc.OnOwnThread(() =>
        {
            int tid = Libc.ThreadId;
            ProcSchedstat before = ReadSchedStat(tid);
            ulong ticksBefore = ReadTicks(tid);
            long start = Stopwatch.GetTimestamp();
            while (ReadTicks(tid) - ticksBefore < 20)
                Assert.True(Stopwatch.GetElapsedTime(start) < Timeout);
            // 20 ticks of 10 ms: 200 ms of CPU time.
            double seconds = (ReadSchedStat(tid).RunNanoseconds - before.RunNanoseconds) / 1e9;
            Assert.InRange(seconds, 0.15, 0.35);
        });
    }

    [Fact]
    public void The_descriptor_of_an_exited_thread_returns_Gone()
    {
        (int tid, int fd) = StartAndEndThread();
        Assert.Equal(ReadStatus.Gone, RawFile.ReadAt(fd, _buffer, out int length));
        Assert.Equal(0, length);
        Assert.Equal(ReadStatus.Gone, Read(tid, "schedstat", out _));
        RawFile.Close(fd);
    }

    [Fact]
    public void The_descriptor_of_an_exited_thread_returns_Gone_when_its_tid_was_reused()
    {
        const string LastPid = "/proc/sys/kernel/ns_last_pid";
        Assert.SkipUnless(
            Environment.IsPrivilegedProcess && File.Exists(LastPid),
            "needs root and ns_last_pid (CONFIG_CHECKPOINT_RESTORE) to give a thread a chosen tid");

        (int tid, int fd) = StartAndEndThread();
        bool reused = false;
        for (int attempt = 0; attempt < 200 && !reused; attempt++)
        {
            // Another process may get the number in between, so it may need several attempts.
            File.WriteAllText(LastPid, (tid - 1).ToString(CultureInfo.InvariantCulture));
            Libc.OnOwnThread(() =>
            {
                if (Libc.ThreadId != tid)
                    return;
                reused = true;
                Assert.Equal(ReadStatus.Ok, Read(tid, "schedstat", out _));
                Assert.Equal(ReadStatus.Gone, RawFile.ReadAt(fd, _buffer, out _));
            });
        }
        RawFile.Close(fd);
        Assert.True(reused, "no thread got the tid again");
    }

    private (int Tid, int Fd) StartAndEndThread()
    {
        int tid = 0, fd = -1;
        Libc.OnOwnThread(() =>
        {
            tid = Libc.ThreadId;
            Assert.Equal(ReadStatus.Ok, RawFile.Open(_task, ProcPath.Format(new byte[ProcPath.BufferSize], [], tid, "/schedstat"u8), out fd));
            Assert.Equal(ReadStatus.Ok, RawFile.ReadAt(fd, _buffer, out _));
        });
        // After Join the thread may still exist: the kernel thread exits a little after the managed one.
        List<int> ids = new();
        Assert.True(SpinWait.SpinUntil(() => RawFile.ListIds(_task, "."u8, ids) == ReadStatus.Ok && !ids.Contains(tid), Timeout));
        return (tid, fd);
    }

    private ReadStatus Read(int tid, string file, out ReadOnlySpan<byte> text)
    {
        Span<byte> path = stackalloc byte[ProcPath.BufferSize];
        ReadStatus status = RawFile.ReadOnce(_task, ProcPath.Format(path, [], tid, Encoding.ASCII.GetBytes("/" + file)), _buffer, out int length);
        text = _buffer.AsSpan(0, length);
        return status;
    }

    private ProcSchedstat ReadSchedStat(int tid)
    {
        Assert.Equal(ReadStatus.Ok, Read(tid, "schedstat", out ReadOnlySpan<byte> text));
        Assert.True(ProcSchedstat.TryParse(text, out ProcSchedstat schedStat));
        return schedStat;
    }

    private ulong ReadTicks(int tid)
    {
        Assert.Equal(ReadStatus.Ok, Read(tid, "stat", out ReadOnlySpan<byte> text));
        Assert.True(ProcStat.TryParse(text, out ProcStat stat));
        return stat.UserTicks + stat.KernelTicks;
    }
}
