using System.Diagnostics;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using ThreadExporter.Configuration;
using ThreadExporter.Logging;

namespace ThreadExporter.Tests.Logging;

/// <summary>Errors that also affect root: these tests often run as root, which ignores file modes.</summary>
public sealed class LogFileFaultTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("log-").FullName;
    private readonly StringWriter _output = new();
    private readonly FakeTimeProvider _clock = new();

    private string LogFile => Path.Combine(_directory, "exporter.log");

    [Fact]
    public void A_path_below_a_regular_file_is_one_warning_at_the_start()
    {
        string blocker = Path.Combine(_directory, "blocker");
        File.WriteAllText(blocker, "");
        using LogSetup log = Create(blocker + "/exporter.log");
        Assert.False(log.FileWritable);
        Assert.Equal([$"warn  ThreadExporter.Log Cannot write log file {blocker}/exporter.log: Could not find a part of the path '{blocker}/exporter.log'; retrying every 10 seconds"], Output());
        Log(log, "one", "two");
        _clock.Advance(LogFileTarget.RetryInterval);
        Assert.Equal(["info  X one", "info  X two"], Output()[1..]);
    }

    [Fact]
    public void A_directory_with_the_name_of_the_file_causes_one_warning_and_the_file_is_created_once_it_is_gone()
    {
        Directory.CreateDirectory(LogFile);
        using LogSetup log = Create(LogFile);
        Assert.False(log.FileWritable);
        Log(log, "one", "two", "three");
        _clock.Advance(LogFileTarget.RetryInterval);
        Log(log, "four");
        Directory.Delete(LogFile);

        // No writes between retries: an error must not cost a system call per record.
        Log(log, "five");
        Assert.False(File.Exists(LogFile));
        _clock.Advance(LogFileTarget.RetryInterval - TimeSpan.FromTicks(1));
        Assert.False(log.FileWritable);
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.True(log.FileWritable);
        Log(log, "six");

        string again = $"info  ThreadExporter.Log Log file {LogFile} is writable again; 5 records were lost";
        Assert.Equal(
            [$"warn  ThreadExporter.Log Cannot write log file {LogFile}: Access to the path '{LogFile}' is denied; retrying every 10 seconds",
                "info  X one", "info  X two", "info  X three", "info  X four", "info  X five", again, "info  X six"],
            Output());
        Assert.Equal([again, "info  X six"], Lines(File.ReadAllText(LogFile)));
        AssertNoRetryIsPending();
    }

    [Fact]
    public void A_directory_deleted_under_way_is_not_made_again_but_found_again()
    {
        string directory = Path.Combine(_directory, "logs");
        Directory.CreateDirectory(directory);
        string file = Path.Combine(directory, "exporter.log");
        using LogSetup log = Create(file);
        Log(log, "one");
        Directory.Delete(directory, recursive: true);
        Log(log, "two", "three");
        Assert.False(log.FileWritable);
        Assert.False(Directory.Exists(directory));

        Directory.CreateDirectory(directory);
        _clock.Advance(LogFileTarget.RetryInterval);
        Assert.True(log.FileWritable);
        Assert.Equal([$"info  ThreadExporter.Log Log file {file} is writable again; 2 records were lost"], Lines(File.ReadAllText(file)));

        // A second error is a second warning.
        Directory.Delete(directory, recursive: true);
        Log(log, "four");
        Assert.Equal(2, Output().Count(line => line.Contains("Cannot write", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_full_device_is_one_warning()
    {
        using LogSetup log = Create("/dev/full");
        // It can be opened, but every write fails.
        Assert.True(log.FileWritable);
        Log(log, "one", "two");
        Assert.False(log.FileWritable);
        _clock.Advance(LogFileTarget.RetryInterval);
        Log(log, "three");
        Assert.Equal(
            ["info  X one", "warn  ThreadExporter.Log Cannot write log file /dev/full: No space left on device : '/dev/full'; retrying every 10 seconds",
                "info  X two", "info  X three"],
            Output());
    }

    [Fact]
    public void A_file_that_cannot_be_rotated_does_not_grow_without_end()
    {
        string inTheWay = Path.Combine(_directory, "exporter.1.log");
        Directory.CreateDirectory(inTheWay);
        using LogSetup log = Create(LogFile, maxSize: 1000);
        for (int i = 0; i < 100; i++)
            Log(log, new string('x', 60));
        Assert.False(log.FileWritable);
        Assert.InRange(new FileInfo(LogFile).Length, 900, 1200);
        Assert.Equal(
            $"warn  ThreadExporter.Log Cannot write log file {LogFile}: it is full and cannot be rotated: exporter.1.log is a directory; retrying every 10 seconds",
            Assert.Single(Output(), line => line.StartsWith("warn", StringComparison.Ordinal)));
        long length = new FileInfo(LogFile).Length;
        _clock.Advance(LogFileTarget.RetryInterval);
        Assert.Equal(length, new FileInfo(LogFile).Length);

        Directory.Delete(inTheWay);
        _clock.Advance(LogFileTarget.RetryInterval);
        Assert.True(log.FileWritable);
        Assert.Single(File.ReadAllLines(LogFile));
        Assert.Equal(length, new FileInfo(inTheWay).Length);
    }

    [Fact]
    public void A_full_file_system_costs_records_but_never_leaves_half_of_one_before_the_next()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "a full file system of its own needs a mount, and that needs root");
        string mount = Path.Combine(_directory, "mount");
        Directory.CreateDirectory(mount);
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=16k", "none", mount) == 0, "mounts are not possible here");
        try
        {
            string file = Path.Combine(mount, "exporter.log");
            string ballast = Path.Combine(mount, "ballast");
            File.WriteAllBytes(ballast, new byte[8192]);
            using (LogSetup log = Create(file))
            {
                for (int i = 0; log.FileWritable; i++)
                {
                    Assert.InRange(i, 0, 10_000);
                    Log(log, new string('x', 1000));
                }
                // The last record is cut off: the page is full in the middle of it.
                Assert.Equal(8192, new FileInfo(file).Length);
                Assert.EndsWith("x", File.ReadAllText(file), StringComparison.Ordinal);
                File.Delete(ballast);
                _clock.Advance(LogFileTarget.RetryInterval);
                Assert.True(log.FileWritable);
                Log(log, "after");
            }
            string[] lines = File.ReadAllLines(file);
            Assert.EndsWith($"Log file {file} is writable again; 1 record was lost", lines[^2], StringComparison.Ordinal);
            Assert.EndsWith(" X after", lines[^1], StringComparison.Ordinal);
            Assert.All(lines, line => Assert.Matches("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{12}Z info  ", line));
        }
        finally
        {
            Assert.Equal(0, Run("umount", mount));
        }
    }

    [Fact]
    public void A_fault_goes_to_the_journal_when_that_is_the_other_output()
    {
        string socket = Path.Combine(_directory, "socket");
        using Socket journal = new(AddressFamily.Unix, SocketType.Dgram, 0);
        journal.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(socket));
        journal.ReceiveTimeout = 5000;
        using LogSetup log = LogSetup.Create(new LogConfig { File = _directory }, stderrIsJournal: true, socket, _output, _clock);
        byte[] buffer = new byte[4096];
        string text = System.Text.Encoding.UTF8.GetString(buffer, 0, journal.Receive(buffer));
        Assert.StartsWith($"MESSAGE=Cannot write log file {_directory}: ", text, StringComparison.Ordinal);
        Assert.Contains("\nPRIORITY=4\n", text, StringComparison.Ordinal);
        Assert.Empty(_output.ToString());
    }

    [Fact]
    public void After_dispose_there_are_no_retries()
    {
        Directory.CreateDirectory(LogFile);
        LogSetup log = Create(LogFile);
        log.Dispose();
        Directory.Delete(LogFile);
        AssertNoRetryIsPending();
    }

    public void Dispose()
    {
        _output.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private LogSetup Create(string file, long maxSize = 1_000_000) =>
        LogSetup.Create(new LogConfig { File = file, FileMaxSize = maxSize }, stderrIsJournal: false, output: _output, time: _clock);

    private static void Log(LogSetup log, params ReadOnlySpan<string> messages)
    {
        foreach (string message in messages)
            log.Factory.CreateLogger("X").LogInformation("{Text}", message);
    }

    /// <summary>A retry would create the file.</summary>
    private void AssertNoRetryIsPending()
    {
        File.Delete(LogFile);
        _clock.Advance(2 * LogFileTarget.RetryInterval);
        Assert.False(File.Exists(LogFile));
    }

    private string[] Output() => Lines(_output.ToString());

    /// <summary>The lines without their time.</summary>
    private static string[] Lines(string text) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line[25..])];

    private static int Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
