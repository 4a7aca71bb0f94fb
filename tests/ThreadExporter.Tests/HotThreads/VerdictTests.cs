using ThreadExporter.HotThreads;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.HotThreads;

public class VerdictTests
{
    private const long Window = 5 * Rig.Second;

    private static readonly StateLooks Sleeping = new(5, 0, 0);

    [Theory]
    [InlineData(4500, 0, 0, "Busy")]
    [InlineData(4499, 0, 0, "Running")]
    // A thread that has a core for itself is busy, even when it waited for it.
    [InlineData(4500, 4000, 1, "Busy")]
    [InlineData(1000, 500, 0.1, "Throttled")]
    [InlineData(1000, 500, 0.099, "Starved")]
    [InlineData(1000, 499, 1, "Running")]
    [InlineData(0, 500, 0, "Starved")]
    [InlineData(0, 0, 0, "Idle")]
    public void Times_decide(int cpu, int wait, double throttled, string expected) =>
        Assert.Equal(expected, new VerdictInput(Window, cpu * Rig.Ms, wait * Rig.Ms, Sleeping, throttled).Decide(0.9).ToString());

    [Theory]
    [InlineData(5, 3, 0, 0, "Blocked")]
    [InlineData(5, 2, 0, 0, "Idle")]
    [InlineData(2, 2, 0, 0, "Blocked")]
    // One look says little.
    [InlineData(1, 1, 0, 0, "Idle")]
    [InlineData(5, 3, 0, 500, "Blocked")]
    [InlineData(5, 0, 2, 0, "Starved")]
    [InlineData(5, 3, 2, 0, "Starved")]
    [InlineData(5, 0, 1, 0, "Idle")]
    public void States_decide(int looks, int blocked, int waiting, int cpu, string expected) =>
        Assert.Equal(expected, new VerdictInput(Window, cpu * Rig.Ms, 0, new StateLooks(looks, blocked, waiting), 0).Decide(0.9).ToString());

    [Fact]
    public void Without_a_window_nothing_is_known() => Assert.Equal(Verdict.Idle, new VerdictInput(0, 0, 0, default, 1).Decide(0.9));

    [Fact]
    public void States_are_remembered_for_a_window()
    {
        StateHistory history = new();
        history.Add(1, (byte)'D', hasRun: false);
        history.Add(2, (byte)'S', hasRun: true);
        // The second look of a snapshot replaces the first.
        history.Add(2, (byte)'D', hasRun: true);
        history.Add(3, (byte)'R', hasRun: true);
        history.Add(5, (byte)'R', hasRun: false);
        Assert.Equal(new StateLooks(4, 2, 1), history.Recent(5));
        Assert.Equal(new StateLooks(3, 1, 1), history.Recent(6));
        Assert.Equal(new StateLooks(1, 0, 1), history.Recent(9));
        Assert.Equal(default, history.Recent(10));
        history.Add(300, (byte)'D', hasRun: false);
        Assert.Equal(new StateLooks(1, 1, 0), history.Recent(300));
    }

    [Fact]
    public void A_recent_sum_covers_a_window()
    {
        RecentSum sum = new();
        sum.Add(1, 1);
        sum.Add(2, 10);
        sum.Add(2, 10);
        sum.Add(5, 100);
        Assert.Equal([121, 120, 100, 100, 100, 0], new long[] { 5, 6, 7, 8, 9, 10 }.Select(n => sum.Of(n)));
        sum.Add(6, 1000);
        Assert.Equal(1120, sum.Of(6));
        sum.Add(600, 7);
        Assert.Equal(7, sum.Of(600));
    }

    [Fact]
    public void The_sentence_of_a_starved_thread_names_who_has_the_cpus()
    {
        HotHost host = new(4, 0, 0, 0, 0, [new(1, "postgres", 6 * Rig.Second), new(7, "own", Rig.Second), new(2, "kswapd0", Rig.Second / 4)], []);
        Assert.Equal("others use the CPUs (postgres 120 %)", Reason(host));
        Assert.Equal("pinned to CPU 3", Reason(host, allowed: "3", count: 1));
        Assert.Equal("may run on the CPUs 0-2 only", Reason(host, allowed: "0-2", count: 3));
        Assert.Equal("others use the CPUs (postgres 120 %)", Reason(host, allowed: "0-3", count: 4));
        Assert.Equal("the process's own threads use the CPUs (3.0 of 4 cores)", Reason(host, cpu: 15 * Rig.Second));
        Assert.Equal("the hypervisor gives the CPUs to others (steal 20 %)", Reason(host with { Steal = 4 * Rig.Second }));
        Assert.Equal("short-lived processes and interrupts use the CPUs (80 %)", Reason(new(4, 0, 0, 4 * Rig.Second, 0, [], [])));
        Assert.Equal("others use the CPUs", Reason(null));

        static string Reason(HotHost? host, long cpu = 0, string? allowed = null, int count = 0) => VerdictReason.Starved(7, cpu, Window, allowed, count, host);
    }

    [Fact]
    public void The_other_sentences_have_their_numbers()
    {
        Assert.Equal("its limit is 2.0 cores, throttled in 71 % of periods", VerdictReason.Throttled(2, 0.71, above: null));
        Assert.Equal("the limit of /system.slice is 0.25 cores, throttled in 100 % of periods", VerdictReason.Throttled(0.25, 1, "/system.slice"));
        Assert.StartsWith("in uninterruptible sleep (D) at 4 of 5 looks", VerdictReason.Blocked(new StateLooks(5, 4, 0)));
        Assert.StartsWith("it used 97 % of a core", VerdictReason.Busy(97, 100));
    }
}
