using System.Diagnostics;

namespace ThreadExporter.Tests.Support;

/// <summary>Waits for what the kernel or another process does in its own time.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static void True(Func<bool> condition, string what)
    {
        long begin = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(begin) < Patience, $"never: {what}");
            Thread.Sleep(1);
        }
    }
}
