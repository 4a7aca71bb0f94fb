using ThreadExporter.Model;

namespace ThreadExporter.Tests.Model;

/// <summary><see cref="ExitedCpu"/> over a simulated process: two active threads, one that runs rarely, and threads that have exited.</summary>
public class ExitedCpuTests
{
    private const long Exited = 1_000_000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Another_thread_runs_unseen_for_at_most_twice_as_long_as_the_active_ones_ran_in_between(int seed)
    {
        Simulation simulation = new(seed);
        for (int i = 0; i < 50_000; i++)
        {
            simulation.Rare += simulation.Random.Next(20) == 0 ? simulation.Random.Next(1, 3000) : 0;
            if (simulation.Collect(mayRest: true, out long ranSince))
                Assert.InRange(simulation.Rare - simulation.KnownRare, 0, 2 * ranSince);
            else
                Assert.Equal(simulation.Rare, simulation.KnownRare);
        }
    }

    [Fact]
    public void While_the_active_threads_run_all_the_time_the_others_are_hardly_ever_read()
    {
        Simulation simulation = new(4);
        int full = 0;
        for (int i = 0; i < 10_000; i++)
            full += simulation.Collect(mayRest: false, out _) ? 0 : 1;
        // One to learn the bounds, and one at each moment that is quieter than all before.
        Assert.InRange(full, 1, 40);
    }

    [Fact]
    public void The_time_that_active_threads_ran_since_they_were_read_is_left_out_of_the_clock()
    {
        ExitedCpu exited = new();
        Assert.False(exited.Explains(500, 0, out _));
        exited.Set(500, 0);
        Assert.True(exited.Explains(530, 40, out long unexplained));
        Assert.Equal(30, unexplained);
        Assert.False(exited.Explains(541, 40, out _));
        Assert.True(exited.Explains(500, 0, out unexplained));
        Assert.Equal(0, unexplained);
        exited.Subtract(120);
        Assert.True(exited.Explains(380, 0, out _));
        exited.Forget();
        Assert.False(exited.Explains(380, 0, out _));
    }

    private sealed class Simulation(int seed)
    {
        private readonly long[] _active = [0, 0];
        private ExitedCpu _exited = new();

        public Random Random { get; } = new(seed);

        /// <summary>What the third thread has used, and what is known of it.</summary>
        public long Rare { get; set; }

        public long KnownRare { get; private set; }

        /// <summary>As ProcessReader does it. False: all threads were read.</summary>
        public bool Collect(bool mayRest, out long ranSince)
        {
            Run(mayRest);
            long before = _active.Sum();
            Run(mayRest);
            long clock = Exited + _active.Sum() + Rare;
            Run(mayRest);
            ranSince = _active.Sum() - before;
            if (_exited.Explains(clock - before - KnownRare, ranSince, out long unexplained))
            {
                Assert.InRange(unexplained, 0, ranSince);
                return true;
            }
            KnownRare = Rare;
            _exited.Set(clock - before - KnownRare, ranSince);
            return false;
        }

        private void Run(bool mayRest)
        {
            if (mayRest && Random.Next(4) != 0)
                return;
            for (int i = 0; i < _active.Length; i++)
                _active[i] += Random.Next(1, 4000);
        }
    }
}
