using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

// A process whose threads run the commands of a test: one per line on standard input, with one line of output each:
//   spawn NAME idle|burn|PERCENT   a thread; prints its tid (PERCENT: the share of every 100 ms that it is busy)
//   rename TID HEX                 gives it a name of these bytes
//   exit TID                       ends it
//   churn THREADS MILLISECONDS     threads one after the other, each burning for that time; responds when all have exited
//   cpu TID                        its CPU clock in nanoseconds
//   steps NAME                     a thread that does steps; prints its tid. Between steps it sleeps
//   do TID STEP                    has it do a step; responds when that is done: burst MICROSECONDS (of CPU time) | rename HEX | rest |
//                                  touch PAGES (of memory not used before) | store PATH KIB (to storage and back)
//   post TID STEP                  the same without waiting: burn (until the next step) | storm MILLISECONDS (tiny bursts at
//                                  random) | vfork (in state D until released) | exec PROGRAM ARGUMENT…
//   release TID                    ends its vfork
//   pin TID CPU                    binds a thread to a CPU
//   hog CPU MILLISECONDS           a SCHED_FIFO thread that burns on that CPU; prints `denied`, or its tid when it runs
//   leave                          ends the main thread; the others continue
//   run PROGRAM ARGUMENT…          a child process; prints its pid
//   kill PID                       ends that child
//   lastpid PID                    the next new pid or tid is the one after it
// End of input ends the process.
ConcurrentDictionary<int, WorkloadThread> threads = new();
ConcurrentDictionary<int, StepThread> steppers = new();
ConcurrentDictionary<int, Process> children = new();

if (Serve())
    Environment.Exit(0);
// The new thread responds and takes over. This one ends in the kernel and does not return.
new Thread(() =>
{
    while (!File.ReadAllText($"/proc/self/task/{Environment.ProcessId}/stat").Contains(") Z ", StringComparison.Ordinal))
        Thread.Yield();
    Console.WriteLine("ok");
    Serve();
    Environment.FailFast("the input ended");
}).Start();
Libc.ExitThread();

// False: the main thread is to end.
bool Serve()
{
    while (Console.ReadLine() is { } line)
    {
        string[] words = line.Split(' ');
        if (words[0] == "leave")
            return false;
        if (Answer(words) is { } answer)
            Console.WriteLine(answer);
    }
    return true;
}

string? Answer(string[] words)
{
    switch (words[0])
    {
        case "spawn":
            WorkloadThread thread = new(words[1], words[2]);
            threads[thread.Tid] = thread;
            return Text(thread.Tid);
        case "rename":
            File.WriteAllBytes($"/proc/self/task/{words[1]}/comm", Convert.FromHexString(words[2]));
            return "ok";
        case "exit":
            if (threads.TryRemove(Number(words[1]), out WorkloadThread? ended))
                ended.Stop();
            else if (steppers.TryRemove(Number(words[1]), out StepThread? stepper))
                stepper.Stop();
            // Join ends with the managed thread; the kernel's goes a moment later.
            while (Directory.Exists($"/proc/self/task/{words[1]}"))
                Thread.Yield();
            return "ok";
        case "churn":
            for (int i = 0; i < Number(words[1]); i++)
                new WorkloadThread($"churn-{i % 10}", words[2] + "ms").Join();
            return "ok";
        case "cpu":
            return WorkloadThread.CpuOf(Number(words[1])).ToString(CultureInfo.InvariantCulture);
        case "steps":
            StepThread steps = new(words[1]);
            steppers[steps.Tid] = steps;
            return Text(steps.Tid);
        case "do":
            steppers[Number(words[1])].Post(words[2..]).Wait();
            return "ok";
        case "post":
            // Answered first: what is posted may be the end of this program.
            Console.WriteLine("ok");
            steppers[Number(words[1])].Post(words[2..]);
            return null;
        case "release":
            steppers[Number(words[1])].Release();
            return "ok";
        case "pin":
            Libc.Pin(Number(words[1]), Number(words[2]));
            return "ok";
        case "hog":
            return Hog(Number(words[1]), TimeSpan.FromMilliseconds(Number(words[2])));
        case "run":
            Process child = Process.Start(words[1], words[2..]);
            children[child.Id] = child;
            return Text(child.Id);
        case "kill":
            children.TryRemove(Number(words[1]), out Process? killed);
            killed!.Kill();
            killed.WaitForExit();
            return "ok";
        case "lastpid":
            File.WriteAllText("/proc/sys/kernel/ns_last_pid", words[1]);
            return "ok";
        default:
            return "what?";
    }
}

static string Hog(int cpu, TimeSpan time)
{
    string answer = "";
    using ManualResetEventSlim running = new();
    new Thread(() =>
    {
        Libc.Pin(0, cpu);
        bool realTime = Libc.TryBecomeRealTime();
        answer = realTime ? Text(WorkloadThread.GetTid()) : "denied";
        running.Set();
        if (realTime)
            WorkloadThread.Burn(time);
    }).Start();
    running.Wait();
    return answer;
}

static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

internal sealed partial class WorkloadThread
{
    private readonly Thread _thread;
    private volatile bool _stopped;
    private int _tid;

    public WorkloadThread(string name, string mode)
    {
        using ManualResetEventSlim started = new();
        _thread = new Thread(() =>
        {
            _tid = GetTid();
            started.Set();
            Work(mode);
        }, 256 * 1024)
        {
            IsBackground = true,
            Name = name,
        };
        _thread.Start();
        started.Wait();
    }

    public int Tid => _tid;

    public void Stop()
    {
        _stopped = true;
        _thread.Interrupt();
        _thread.Join();
    }

    public void Join() => _thread.Join();

    /// <summary>CLOCK_THREAD_CPUTIME_ID of any thread of this process, by its tid.</summary>
    public static long CpuOf(int tid)
    {
        long[] time = new long[2];
        if (ClockGetTime((~tid << 3) | 6, time) != 0)
            throw new InvalidOperationException($"no clock for thread {tid}");
        return time[0] * 1_000_000_000 + time[1];
    }

    private void Work(string mode)
    {
        if (mode == "idle")
        {
            Rest(Timeout.Infinite);
        }
        else if (mode == "burn")
        {
            while (!_stopped)
                Burn(TimeSpan.FromMilliseconds(5));
        }
        else if (mode.EndsWith("ms", StringComparison.Ordinal))
        {
            Burn(TimeSpan.FromMilliseconds(int.Parse(mode[..^2], CultureInfo.InvariantCulture)));
        }
        else
        {
            int busy = int.Parse(mode, CultureInfo.InvariantCulture);
            while (!Rest(100 - busy))
                Burn(TimeSpan.FromMilliseconds(busy));
        }
    }

    // True: it is time to end.
    private bool Rest(int milliseconds)
    {
        try
        {
            Thread.Sleep(milliseconds);
        }
        catch (ThreadInterruptedException)
        {
            // Stop asks for it.
        }
        return _stopped;
    }

    public static void Burn(TimeSpan time)
    {
        long end = Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency);
        while (Stopwatch.GetTimestamp() < end)
            Thread.SpinWait(50);
    }

    [LibraryImport("libc", EntryPoint = "gettid")]
    public static partial int GetTid();

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, [Out] long[] time);
}
