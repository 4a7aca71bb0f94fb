using System.Diagnostics;
using ThreadExporter.Hosting;
using ThreadExporter.Linux;
using ThreadExporter.Text;

namespace ThreadExporter.Commands;

/// <summary><c>thread-exporter reload [PID]</c>: sends SIGHUP and reports the result from the daemon's reload status file.</summary>
internal static class ReloadCommand
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(10);

    public static async Task<int> RunAsync(int? pid)
    {
        (string Path, ReloadStatus Status)[] found = [.. FindDaemons(pid)];
        if (found.Length != 1)
        {
            Console.Error.WriteLine(found.Length > 1
                ? $"thread-exporter: several daemons are running, specify a PID: {string.Join(' ', found.Select(f => f.Status.Pid))}"
                : pid is { } requested
                    ? $"thread-exporter: process {requested} is not a running thread-exporter, or its status file is not readable by you"
                    : "thread-exporter: no daemon is running, or its status file is not readable by you");
            return ExitCode.Failure;
        }
        int target = found[0].Status.Pid;
        long requestedAt = Clocks.MonotonicNanoseconds();
        ReadStatus sent = Signals.SendHangup(target);
        if (sent != ReadStatus.Ok)
        {
            Console.Error.WriteLine(sent == ReadStatus.Denied
                ? $"thread-exporter: process {target} belongs to another user; only that user and root can reload it"
                : $"thread-exporter: process {target} no longer exists");
            return ExitCode.Failure;
        }
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < Timeout)
        {
            ReloadStatus? status = ReloadStatusFile.TryRead(found[0].Path);
            if (status is null)
            {
                Console.Error.WriteLine($"thread-exporter: process {target} exited before the reload finished");
                return ExitCode.Failure;
            }
            // A reload that started before the signal may have read the file before it changed.
            if (status.StartedAt >= requestedAt)
                return Report(status);
            await Task.Delay(PollInterval);
        }
        Console.Error.WriteLine($"thread-exporter: process {target} did not reload within {Timeout.TotalSeconds:0} s; see its log");
        return ExitCode.Failure;
    }

    private static int Report(ReloadStatus status)
    {
        if (status.NoFileAt is { } path)
            Console.Error.WriteLine($"{path} does not exist; the daemon uses its defaults and its command line");
        foreach (string key in status.RestartKeys)
            Console.Error.WriteLine(Printable.Of($"{key} has changed and takes effect at the next restart"));
        foreach (string error in status.Errors)
            Console.Error.WriteLine(Printable.Of(error));
        return status.Errors.Length == 0 ? ExitCode.Success : ExitCode.BadConfig;
    }

    private static IEnumerable<(string Path, ReloadStatus Status)> FindDaemons(int? pid)
    {
        foreach (string directory in RuntimeDirectory.ToSearch(pid).Where(Directory.Exists))
        {
            string[] files;
            try
            {
                files = Directory.GetFiles(directory, pid is { } known ? $"{known}.json" : "*.json");
            }
            catch (UnauthorizedAccessException)
            {
                continue;
            }
            foreach (string file in files)
            {
                if (ReloadStatusFile.TryRead(file) is { } status && (pid is null || status.Pid == pid))
                    yield return (file, status);
            }
        }
    }
}
