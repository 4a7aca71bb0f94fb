using System.Diagnostics;
using ThreadExporter.Hosting;
using ThreadExporter.Linux;
using ThreadExporter.Text;

namespace ThreadExporter.Commands;

/// <summary><c>thread-exporter reload [PID]</c>: SIGHUP, then the daemon's own verdict, so that the answer is the truth.</summary>
internal static class ReloadCommand
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(10);

    public static async Task<int> RunAsync(int? pid)
    {
        (string path, ReloadStatus before)[] found = [.. Find(pid)];
        if (found.Length != 1)
        {
            Console.Error.WriteLine(found.Length > 1
                ? $"thread-exporter: more than one daemon runs; say which: {string.Join(' ', found.Select(f => f.before.Pid))}"
                : pid is { } asked
                    ? $"thread-exporter: process {asked} is no running thread-exporter, or not one whose verdict you may read"
                    : "thread-exporter: no daemon is running, or none whose verdict you may read");
            return ExitCode.Failure;
        }
        int target = found[0].before.Pid;
        long askedAt = Clocks.MonotonicNanoseconds();
        ReadStatus sent = Signals.SendHangup(target);
        if (sent != ReadStatus.Ok)
        {
            Console.Error.WriteLine(sent == ReadStatus.Denied
                ? $"thread-exporter: process {target} belongs to another user; only that user and root can reload it"
                : $"thread-exporter: process {target} is gone");
            return ExitCode.Failure;
        }
        long begin = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begin) < Timeout)
        {
            ReloadStatus? verdict = ReloadStatusFile.TryRead(found[0].path);
            if (verdict is null)
            {
                Console.Error.WriteLine($"thread-exporter: process {target} ended before it reloaded");
                return ExitCode.Failure;
            }
            // A reload that began before the signal may have read the file as it was before.
            if (verdict.StartedAt >= askedAt)
                return Report(verdict);
            await Task.Delay(PollInterval);
        }
        Console.Error.WriteLine($"thread-exporter: process {target} has not reloaded within {Timeout.TotalSeconds:0} s; its log may say why");
        return ExitCode.Failure;
    }

    private static int Report(ReloadStatus verdict)
    {
        if (verdict.NoFileAt is { } path)
            Console.Error.WriteLine($"{path} does not exist; the defaults and the command line of the daemon apply");
        foreach (string key in verdict.RestartKeys)
            Console.Error.WriteLine(Printable.Of($"{key} has changed and takes effect at the next restart"));
        foreach (string error in verdict.Errors)
            Console.Error.WriteLine(Printable.Of(error));
        return verdict.Errors.Length == 0 ? ExitCode.Success : ExitCode.BadConfig;
    }

    private static IEnumerable<(string Path, ReloadStatus Verdict)> Find(int? pid)
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
                if (ReloadStatusFile.TryRead(file) is { } verdict && (pid is null || verdict.Pid == pid))
                    yield return (file, verdict);
            }
        }
    }
}
