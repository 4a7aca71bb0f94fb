using System.Text;
using ThreadExporter.Configuration;
using ThreadExporter.Model;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Collection;

/// <summary>
/// <see cref="ThreadExporter.Collection.ProcessReader"/> lists the threads only when <c>num_threads</c> is not the number of threads that could
/// be read.
/// </summary>
public class ThreadListingTests
{
    [Fact]
    public void Threads_are_not_listed_while_their_number_has_not_changed()
    {
        using FixtureProc proc = new();
        proc.Process(10, "f", threads: 2);
        proc.Thread(10, 10, "f"u8);
        proc.Thread(10, 11, "a"u8);
        using LiveCollector live = new(LiveCollector.Config(new FilterConfig { Name = "f", Comm = ["f"] }), proc.Root);
        Assert.Equal([10, 11], Tids(live));
        // A listing would find it.
        proc.Thread(10, 12, "b"u8);
        Assert.Equal([10, 11], Tids(live));
        proc.ProcessStat(10, "f", 3);
        Assert.Equal([10, 11, 12], Tids(live));
    }

    [Fact]
    public void A_thread_that_replaces_another_is_found_although_the_number_has_not_changed()
    {
        using Workload workload = new();
        int first = workload.Spawn("first", "idle");
        using LiveCollector live = new(LiveCollector.Config(LiveCollector.Pid(workload.Pid)));
        live.Collect(workload.Pid);
        for (int i = 0; i < 20; i++)
        {
            workload.Exit(first);
            int second = workload.Spawn("second", "idle");
            List<WatchedThread> threads = live.Collect(workload.Pid)!.Threads;
            Assert.DoesNotContain(threads, t => t.Tid == first);
            Assert.Contains(threads, t => t.Tid == second);
            Assert.Equal(threads.OrderBy(t => t.Tid), threads);
            first = second;
        }
    }

    [Fact]
    public void The_exit_of_a_thread_without_a_descriptor_is_noticed_by_its_path()
    {
        using FixtureProc proc = new();
        proc.Process(10, "f", threads: 3);
        foreach (int tid in (int[])[10, 11, 12])
            proc.Thread(10, tid, "x"u8);
        ExporterConfig config = LiveCollector.Config(new FilterConfig { Name = "f", Comm = ["f"] });
        using LiveCollector live = new(config with { Collector = config.Collector with { MaxDescriptors = 0 } }, proc.Root);
        Assert.Equal([10, 11, 12], Tids(live));
        Directory.Delete(Path.Combine(proc.Root, "10/task/11"), recursive: true);
        proc.Thread(10, 9, "wrapped"u8);
        Assert.Equal([9, 10, 12], Tids(live));
        Assert.Equal("wrapped", Encoding.UTF8.GetString(live.Collect(10)!.Threads[0].Reading.Name));
    }

    [Fact]
    public void The_order_of_starts_and_exits_does_not_matter()
    {
        // Compared with a model: the shown threads are those that the kernel lists, whatever happened in between.
        using Workload workload = new();
        using LiveCollector live = new(LiveCollector.Config(LiveCollector.Pid(workload.Pid)));
        Random random = new(4);
        List<int> alive = [];
        for (int i = 0; i < 60; i++)
        {
            for (int changes = random.Next(5); changes > 0; changes--)
            {
                if (alive.Count > 0 && random.Next(2) == 0)
                {
                    int at = random.Next(alive.Count);
                    workload.Exit(alive[at]);
                    alive.RemoveAt(at);
                }
                else
                {
                    alive.Add(workload.Spawn($"t{i}", "idle"));
                }
            }
            Assert.Equal(alive.Order(), live.Collect(workload.Pid)!.Threads.Select(t => t.Tid).Intersect(alive));
        }
        int threads = live.Collector.Processes[0].Threads.Count;
        Assert.Equal((threads + 1, threads + 1), (live.Collector.Descriptors, Kernel.OwnDescriptorsOn(workload.Pid)));
    }

    private static IEnumerable<int> Tids(LiveCollector live) => live.Collect(10)!.Threads.Select(t => t.Tid);
}
