using System.Diagnostics;
using ThreadExporter.Procfs;


namespace ThreadExporter.Linux.Tests;

public class ClocksTests
{
    private static readonly int Self = Environment.ProcessId;

    [Fact]
    public void The_process_clock_never_falls_and_moves_with_work()
    {
        Assert.True(Clocks.TryGetProcessCpu(Self, out long first));
        long last = first;
        long reads = 0;
        long start = Stopwatch.GetTimestamp();
        while (last - first < 50_000_000)
        {
            Assert.True(Clocks.TryGetProcessCpu(Self, out long now));
            Assert.True(now >= last, $"{now} after {last}, read {reads}");
            last = now;
            reads++;
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(30));
        }
        Assert.True(reads > 100);
    }

    [Fact]
    public void It_is_the_processor_time_of_the_runtime_in_nanoseconds()
    {
        // The CPU time of a running thread is updated at ticks, and the runtime's value is in whole ticks of 10 ms.
        const long Slack = 100_000_000;
        Assert.True(Clocks.TryGetProcessCpu(Self, out long before));
        using Process self = Process.GetCurrentProcess();
        long runtime = self.TotalProcessorTime.Ticks * TimeSpan.NanosecondsPerTick;
        Assert.True(Clocks.TryGetProcessCpu(Self, out long after));
        Assert.InRange(runtime, before - Slack, after + Slack);
        Assert.True(after > Slack, "too young to tell seconds from nanoseconds");
    }

    [Fact]
    public void It_works_for_a_child_and_for_its_zombie()
    {
        // The inner shell uses CPU and then becomes a zombie: the outer shell does not wait for it until it reads a line.
        using Process shell = Process.Start(new ProcessStartInfo("/bin/sh")
        {
            ArgumentList = { "-c", "(i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done) & echo $!; read line; wait" },
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        int child = int.Parse(shell.StandardOutput.ReadLine()!, System.Globalization.CultureInfo.InvariantCulture);
        byte[] buffer = new byte[1024];
        Assert.True(SpinWait.SpinUntil(() => IsZombie(child, buffer), TimeSpan.FromSeconds(30)));
        Assert.True(Clocks.TryGetProcessCpu(child, out long cpu));
        Assert.InRange(cpu, 1_000_000, 30_000_000_000);

        shell.StandardInput.WriteLine();
        shell.WaitForExit();
        Assert.False(Clocks.TryGetProcessCpu(child, out cpu));
        Assert.Equal(0, cpu);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    [InlineData(int.MaxValue)]
    [InlineData(0x1fff_ffff)]
    [InlineData(0x0fff_ffff)]
    public void An_invalid_pid_has_no_clock(int pid)
    {
        Assert.False(Clocks.TryGetProcessCpu(pid, out long cpu));
        Assert.Equal(0, cpu);
    }

    [Fact]
    public void A_tid_other_than_the_main_thread_has_no_process_clock() => Libc.OnOwnThread(() =>
    {
        int tid = Libc.ThreadId;
        bool found = true;
        // From another thread: the kernel allows a thread to use its own tid for its process.
        Libc.OnOwnThread(() => found = Clocks.TryGetProcessCpu(tid, out _));
        Assert.False(found);
    });

    [Fact]
    public void Boot_time_plus_start_time_is_the_start_of_this_process()
    {
        Assert.True(ProcStat.TryParse(File.ReadAllBytes("/proc/self/stat"), out ProcStat stat));
        double start = (Clocks.BootTimeNanoseconds() / 1e9) + ((double)stat.StartTicks / Clocks.TicksPerSecond);
        using Process self = Process.GetCurrentProcess();
        double runtime = (self.StartTime.ToUniversalTime() - DateTime.UnixEpoch).TotalSeconds;
        Assert.InRange(start, runtime - 2, runtime + 2);
    }

    [Fact]
    public void The_monotonic_clock_is_that_of_the_runtime()
    {
        Assert.Equal(1_000_000_000, Stopwatch.Frequency);
        long before = Stopwatch.GetTimestamp();
        long now = Clocks.MonotonicNanoseconds();
        Assert.InRange(now, before, Stopwatch.GetTimestamp());
        Assert.InRange(Clocks.MonotonicNanoseconds(TimeProvider.System), now, Stopwatch.GetTimestamp());
    }

    [Fact]
    public void A_tick_is_a_hundredth_of_a_second() => Assert.Equal(100, Clocks.TicksPerSecond);

    private static bool IsZombie(int pid, byte[] buffer) =>
        RawFile.ReadOnce(-100, ProcPath.Format(new byte[ProcPath.BufferSize], "/proc/"u8, pid, "/stat"u8), buffer, out int length) == ReadStatus.Ok
        && ProcStat.TryParse(buffer.AsSpan(0, length), out ProcStat stat)
        && stat.State == 'Z';
}
