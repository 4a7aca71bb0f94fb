using System.Diagnostics;

namespace ThreadExporter.Tests.Support;

/// <summary>Waits for what the kernel or another process does in its own time. The one polling loop of the tests.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    public static void True(Func<bool> condition, string what)
    {
        long begin = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(begin) < Timeout, $"never: {what}");
            Thread.Sleep(1);
        }
    }

    /// <param name="condition">What must become true.</param>
    /// <param name="what">The condition in words.</param>
    /// <param name="seen">What a failure shows in addition: a log, a page.</param>
    /// <param name="timeout">How long to wait.</param>
    public static async Task TrueAsync(Func<Task<bool>> condition, string what, Func<Task<string>>? seen = null, TimeSpan? timeout = null)
    {
        long begin = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(begin) >= (timeout ?? Timeout))
                Assert.Fail($"never: {what}{(seen is null ? "" : "; last seen:\n" + await seen())}");
            await Task.Delay(Interval, TestContext.Current.CancellationToken);
        }
    }

    public static Task TrueAsync(Func<bool> condition, string what, Func<string> seen) =>
        TrueAsync(() => Task.FromResult(condition()), what, () => Task.FromResult(seen()));

    /// <summary>Reads until the value is as expected and returns it; a failure shows the last one.</summary>
    public static async Task<T> ValueAsync<T>(Func<Task<T>> read, Func<T, bool> isExpected, string what)
    {
        T last = default!;
        await TrueAsync(async () => isExpected(last = await read()), what, () => Task.FromResult($"{last}"));
        return last;
    }
}
