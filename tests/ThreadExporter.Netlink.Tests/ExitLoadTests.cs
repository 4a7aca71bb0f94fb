using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using ThreadExporter.Linux;
using ThreadExporter.Tests;

namespace ThreadExporter.Netlink.Tests;

/// <summary>Twenty thousand exits a second: nothing is lost, and what a record costs. -showLiveOutput shows the figures.</summary>
[Collection("kernel")]
public sealed class ExitLoadTests : IDisposable
{
    private const int PerSecond = 20_000, Seconds = 5, DrainEveryMilliseconds = 100;

    private readonly string _program = Path.Combine(Path.GetTempPath(), $"te-exits-{Environment.ProcessId}");

    public void Dispose() => File.Delete(_program);

    [SlowFact]
    public void Twenty_thousand_exits_a_second_without_loss()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/gcc") && File.Exists("/usr/include/stdio.h"), "gcc or the C library's headers are not installed");
        Assert.SkipUnless(ExitRecordListener.TryOpen(out ExitRecordListener? listener, out string reason), reason);
        using ExitRecordListener opened = listener;
        using (Process compiler = Process.Start("gcc", ["-O2", "-Wall", "-Wextra", "-pthread", "-o", _program, Source("exits.c")]))
        {
            compiler.WaitForExit();
            Assert.Equal(0, compiler.ExitCode);
        }
        List<ExitRecord> records = new(50_000);
        opened.Drain(records, TimeSpan.FromSeconds(1));
        using Process load = Process.Start(new ProcessStartInfo(_program, [$"{PerSecond}", $"{Seconds}"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        Assert.Equal("ready", load.StandardOutput.ReadLine());
        int pid = load.Id;

        long own = 0, all = 0, longest = 0, cpu = 0, calls = 0;
        void Drain()
        {
            records.Clear();
            long before = Clocks.ThreadCpuNanoseconds();
            bool empty = opened.Drain(records, TimeSpan.FromSeconds(1));
            long used = Clocks.ThreadCpuNanoseconds() - before;
            Assert.True(empty);
            cpu += used;
            longest = Math.Max(longest, used);
            all += records.Count;
            own += records.Count(r => r.Tgid == pid);
            calls++;
        }

        load.StandardInput.WriteLine();
        while (!load.HasExited)
        {
            Thread.Sleep(DrainEveryMilliseconds);
            Drain();
        }
        Drain();
        long[] result = [.. load.StandardOutput.ReadLine()!.Split(' ').Select(n => long.Parse(n, CultureInfo.InvariantCulture))];
        double perRecord = cpu / 1000.0 / all;
        TestContext.Current.TestOutputHelper!.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{result[0]} exits in {result[1] / 1e9:F1} s ({result[0] / (result[1] / 1e9):F0} a second), {own} records of them and {all - own} others, {opened.Lost} lost, {opened.Malformed} malformed; {perRecord:F2} µs of CPU a record, {cpu / 1e6 / calls:F1} ms a drain, {longest / 1e6:F1} ms the longest"));
        // The main thread has a record too.
        Assert.Equal(result[0] + 1, own);
        Assert.Equal((0L, 0L), (opened.Lost, opened.Malformed));
        // The target is 5; a busy machine takes more.
        Assert.InRange(perRecord, 0, 20);
    }

    private static string Source(string name, [CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "..", "bench", name);
}
