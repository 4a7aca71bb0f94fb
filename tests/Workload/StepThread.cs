using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Win32.SafeHandles;

/// <summary>A thread that does one step after the other as it is told, and sleeps in between without using any CPU.</summary>
internal sealed class StepThread
{
    private readonly BlockingCollection<(string[] Words, ManualResetEventSlim Done)> _steps = [];
    private readonly nint _released = Libc.NewSemaphore();
    private readonly Thread _thread;

    public StepThread(string name)
    {
        using ManualResetEventSlim started = new();
        _thread = new Thread(() =>
        {
            Tid = WorkloadThread.GetTid();
            started.Set();
            foreach ((string[] words, ManualResetEventSlim done) in _steps.GetConsumingEnumerable())
            {
                Do(words);
                done.Set();
            }
        }, 256 * 1024)
        {
            IsBackground = true,
            Name = name,
        };
        _thread.Start();
        started.Wait();
    }

    public int Tid { get; private set; }

    /// <summary>Gives it a step; a <c>burn</c> ends when the next one comes.</summary>
    public ManualResetEventSlim Post(string[] words)
    {
        ManualResetEventSlim done = new();
        _steps.Add((words, done));
        return done;
    }

    /// <summary>Ends its <c>vfork</c>.</summary>
    public void Release() => Libc.Post(_released);

    public void Stop()
    {
        _steps.CompleteAdding();
        _thread.Join();
    }

    private void Do(string[] words)
    {
        switch (words[0])
        {
            case "rest":
                break;
            case "burn":
                while (_steps.Count == 0)
                    WorkloadThread.Burn(TimeSpan.FromMilliseconds(1));
                break;
            case "burst":
                long end = WorkloadThread.CpuOf(Tid) + int.Parse(words[1], CultureInfo.InvariantCulture) * 1000L;
                while (WorkloadThread.CpuOf(Tid) < end)
                    Thread.SpinWait(20);
                break;
            case "storm":
                Storm(TimeSpan.FromMilliseconds(int.Parse(words[1], CultureInfo.InvariantCulture)));
                break;
            case "touch":
                Libc.Touch(int.Parse(words[1], CultureInfo.InvariantCulture));
                break;
            case "store":
                Store(words[1], new byte[1024 * int.Parse(words[2], CultureInfo.InvariantCulture)]);
                break;
            case "rename":
                Libc.SetOwnName(Convert.FromHexString(words[1]));
                break;
            case "vfork":
                Libc.ForkAndWaitFor(_released);
                break;
            case "exec":
                Libc.Execute(words[1..]);
                break;
            default:
                throw new ArgumentException($"no such step: {words[0]}");
        }
    }

    private static void Store(string path, byte[] bytes)
    {
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite);
        RandomAccess.Write(file, bytes, 0);
        RandomAccess.FlushToDisk(file);
        Libc.DropCache(file);
        RandomAccess.Read(file, bytes, 0);
    }

    // Bits of work too small to be seen by the tick, at moments that nobody can foresee.
    private static void Storm(TimeSpan time)
    {
        long begin = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begin) < time)
        {
            WorkloadThread.Burn(TimeSpan.FromMicroseconds(Random.Shared.Next(1, 60)));
            Thread.Sleep(Random.Shared.Next(1, 4));
        }
    }
}
