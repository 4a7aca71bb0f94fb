using System.Diagnostics;
using System.Text;
using ThreadExporter.Tests;

namespace ThreadExporter.Netlink.Tests;

/// <summary>With the records of the kernel that the tests run on. One after the other: they open sockets and count what they lose.</summary>
[Collection("kernel")]
public class ExitRecordListenerTests
{
    private const string NeedsRoot = "needs CAP_NET_ADMIN in the initial namespaces, and CONFIG_TASKSTATS";

    private readonly List<ExitRecord> _records = [];

    private static ExitRecordListener Open(int receiveBuffer = ExitRecordListener.DefaultReceiveBuffer, bool ignoreTgid = false)
    {
        Assert.SkipUnless(ExitRecordListener.TryOpen(receiveBuffer, ignoreTgid, out ExitRecordListener? listener, out string reason), $"{NeedsRoot}: {reason}");
        return listener;
    }

    /// <summary>Drains until the record of a thread is there.</summary>
    private ExitRecord Await(ExitRecordListener listener, int tid)
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (watch.Elapsed < TimeSpan.FromSeconds(10))
        {
            listener.Drain(_records, TimeSpan.FromSeconds(1));
            int index = _records.FindIndex(r => r.Tid == tid);
            if (index >= 0)
                return _records[index];
            Thread.Sleep(1);
        }
        throw new TimeoutException($"no record of {tid} among {_records.Count}");
    }

    [Fact]
    public void A_thread_has_its_ids_its_name_and_its_CPU_time()
    {
        using ExitRecordListener listener = Open();
        Stopwatch watch = Stopwatch.StartNew();
        (int tid, long cpu) = Kernel.RunThread("exit test) x", 50_000_000);
        ExitRecord record = Await(listener, tid);
        long elapsed = (watch.ElapsedMilliseconds + 10) * 1_000_000;
        Assert.Equal((tid, Environment.ProcessId), (record.Tid, record.Tgid));
        Assert.Equal("exit test) x", Encoding.UTF8.GetString(record.Comm));
        // Up to a tick is missing, and the thread used a little after it had looked at its clock.
        Assert.InRange(record.CpuNanoseconds, cpu - 10_000_000, elapsed);
        Assert.InRange(record.ElapsedNanoseconds, cpu, elapsed);
        Assert.InRange(record.StartSeconds, DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 60, DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 1);
        Assert.True(record.Timeslices > 0);
        Assert.False(record.IsLastThread);
        Assert.Equal((0L, 0L), (listener.Malformed, listener.Lost));
    }

    [Fact]
    public void A_process_has_its_parent_and_a_last_thread()
    {
        using ExitRecordListener listener = Open();
        using Process child = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"]))!;
        int pid = child.Id;
        child.WaitForExit();
        ExitRecord record = Await(listener, pid);
        Assert.Equal((pid, pid, Environment.ProcessId), (record.Tid, record.Tgid, record.Ppid));
        Assert.Equal("sh", Encoding.UTF8.GetString(record.Comm));
        Assert.Equal(0u, record.Uid);
        Assert.True(record.IsLastThread);
        Assert.InRange(record.CpuNanoseconds, 10_000_000, record.ElapsedNanoseconds);
        Assert.True(record.MinorFaults > 0);
    }

    [Fact]
    public void An_overflow_is_counted_and_listening_goes_on()
    {
        using ExitRecordListener listener = Open(receiveBuffer: 16 * 1024);
        for (int i = 0; i < 100; i++)
            Kernel.RunThread("lost", 0);
        Assert.True(listener.Drain(_records, TimeSpan.FromSeconds(1)));
        long lost = listener.Lost;
        Assert.True(lost > 0);
        // All are there or counted, the last one perhaps a little later.
        Stopwatch watch = Stopwatch.StartNew();
        while (_records.Count(r => r.Comm.SequenceEqual("lost"u8)) + listener.Lost < 100)
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10));
            listener.Drain(_records, TimeSpan.FromSeconds(1));
        }
        (int tid, _) = Kernel.RunThread("found", 0);
        Assert.Equal("found", Encoding.UTF8.GetString(Await(listener, tid).Comm));
        Assert.True(listener.Lost >= lost);
        Assert.Equal(0, listener.Malformed);
    }

    [Fact]
    public void A_budget_ends_the_drain_and_nothing_is_lost()
    {
        using ExitRecordListener listener = Open();
        for (int i = 0; i < 100; i++)
            Kernel.RunThread("budget", 0);
        int calls = 1;
        while (!listener.Drain(_records, TimeSpan.Zero))
            calls++;
        Assert.True(calls > 1);
        (int tid, _) = Kernel.RunThread("budget", 0);
        Await(listener, tid);
        Assert.Equal(101, _records.Count(r => r.Tgid == Environment.ProcessId && r.Comm.SequenceEqual("budget"u8)));
        Assert.Equal(0, listener.Lost);
    }

    [Fact]
    public void Draining_allocates_nothing()
    {
        using ExitRecordListener listener = Open();
        _records.Capacity = 10_000;
        listener.Drain(_records, TimeSpan.FromSeconds(1));
        for (int i = 0; i < 100; i++)
            Kernel.RunThread("free", 0);
        long before = GC.GetAllocatedBytesForCurrentThread();
        listener.Drain(_records, TimeSpan.FromSeconds(1));
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(_records.Count >= 99);
    }

    [Fact]
    public void What_others_send_is_ignored()
    {
        using ExitRecordListener listener = Open();
        ushort family = 0;
        using (Linux.NetlinkSocket socket = Linux.NetlinkSocket.TryOpen(Linux.NetlinkSocket.Generic, 0, out _)!)
            Assert.Equal(0, GenericNetlink.FindTaskstats(socket, out family));
        byte[] forged = Taskstats.Message(Taskstats.Thread(Taskstats.Stats(listener.Layout.Version, new() { ["ac_pid"] = 0x7FFFFFF0 }), tid: 0x7FFFFFF0), family);
        List<uint> ports = Kernel.GenericNetlinkPorts();
        Assert.NotEmpty(ports);
        foreach (uint port in ports)
        {
            Kernel.SendTo(port, forged);
            Kernel.SendTo(port, [1, 2, 3]);
        }
        (int tid, _) = Kernel.RunThread("true", 0);
        Await(listener, tid);
        Assert.DoesNotContain(_records, r => r.Tid == 0x7FFFFFF0);
        Assert.Equal(0, listener.Malformed);
    }

    [Fact]
    public void It_can_be_opened_again_and_twice()
    {
        ExitRecordListener closed = Open();
        closed.Dispose();
        closed.Dispose();
        using ExitRecordListener first = Open(), second = Open();
        (int tid, _) = Kernel.RunThread("twice", 0);
        Await(first, tid);
        _records.Clear();
        Await(second, tid);
    }

    [Fact]
    public void Without_ac_tgid_the_process_connector_says_the_process()
    {
        using ExitRecordListener listener = Open(ignoreTgid: true);
        Assert.False(listener.Layout.HasTgid);
        List<int> tids = [];
        for (int i = 0; i < 50; i++)
            tids.Add(Kernel.RunThread("connector", 0).Tid);
        Assert.All(tids, tid => Assert.Equal(Environment.ProcessId, Await(listener, tid).Tgid));
        Assert.Equal(50, _records.Count(r => r.Comm.SequenceEqual("connector"u8)));
    }

    [Fact]
    public void Without_the_capability_it_says_what_is_required()
    {
        Open().Dispose();
        Libc.OnOwnThread(() =>
        {
            Kernel.DropNetAdmin();
            Assert.False(ExitRecordListener.TryOpen(out ExitRecordListener? listener, out string reason));
            Assert.Null(listener);
            Assert.Equal("exit records require CAP_NET_ADMIN in the initial user, pid and network namespaces", reason);
        });
    }

    [Fact]
    public void In_another_network_namespace_it_says_so()
    {
        Open().Dispose();
        Libc.OnOwnThread(() =>
        {
            Kernel.EnterNewNetworkNamespace();
            Assert.False(ExitRecordListener.TryOpen(out _, out string reason));
            Assert.Contains("initial network namespace", reason, StringComparison.Ordinal);
        });
    }

    [SlowTheory]
    [InlineData("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin")]
    [InlineData("unshare", "--user", "--map-root-user")]
    [InlineData("unshare", "--pid", "--fork", "--mount-proc")]
    public void A_process_without_the_capability_or_outside_the_namespaces(string tool, params string[] options)
    {
        Open().Dispose();
        Assert.SkipUnless(File.Exists($"/usr/bin/{tool}"), $"{tool} is not installed");
        string[] arguments = [.. options, Environment.ProcessPath!, "-noLogo", "-noColor", "-showLiveOutput", "-explicit", "only",
            "-method", $"*.{nameof(ExitRecordListenerTests)}.{nameof(Says_why_it_cannot_be_opened)}"];
        ProcessStartInfo start = new($"/usr/bin/{tool}", arguments) { RedirectStandardOutput = true };
        using Process child = Process.Start(start)!;
        string output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        Assert.Contains("exit records require CAP_NET_ADMIN in the initial user, pid and network namespaces", output, StringComparison.Ordinal);
    }

    /// <summary>Run by the test above as another process. By itself it says nothing.</summary>
    [Fact(Explicit = true)]
    public void Says_why_it_cannot_be_opened()
    {
        ExitRecordListener.TryOpen(out ExitRecordListener? listener, out string reason);
        listener?.Dispose();
        TestContext.Current.TestOutputHelper!.WriteLine(reason);
    }
}
