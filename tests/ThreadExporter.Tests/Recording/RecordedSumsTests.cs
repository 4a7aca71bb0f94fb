using ThreadExporter.HotThreads;
using ThreadExporter.Recording;
using static ThreadExporter.Tests.Recording.RecorderFolder;

namespace ThreadExporter.Tests.Recording;

/// <summary><see cref="RecordedSteps"/> and <see cref="RecordedReport"/>.</summary>
public class RecordedSumsTests
{
    [Fact]
    public void A_step_has_the_average_over_what_was_recorded_in_it()
    {
        RecordedSums[] intervals =
        [
            new(new RecordedRange(0, 1000), Second, 2 * Second, Second / 2, 700),
            new(new RecordedRange(1000, 2000), Second, 0, 0, 100),
            // Nothing from 2000 to 6000.
            new(new RecordedRange(6000, 7000), Second, Second, 0, 900),
        ];
        RecordedStep[] steps = RecordedSteps.Divide(new RecordedRange(500, 8500), 4, intervals);
        Assert.Equal([500, 2500, 4500, 6500], steps.Select(s => s.Time.From));
        Assert.Equal([2500, 4500, 6500, 8500], steps.Select(s => s.Time.To));
        Assert.Equal([2.0 * 500 / 1500, 0, 1, 1], steps.Select(s => s.Cpu));
        Assert.Equal([0.5 * 500 / 1500, 0, 0, 0], steps.Select(s => s.Wait));
        Assert.Equal([0.7, 0, 0.9, 0.9], steps.Select(s => s.Peak));
        Assert.Equal([2, 0, 1, 1], steps.Select(s => s.Intervals));
    }

    [Fact]
    public void Steps_shorter_than_an_interval_have_its_values_and_none_is_shorter_than_a_millisecond()
    {
        RecordedSums[] intervals = [new(new RecordedRange(0, 10), 10_000_000, 5_000_000, 0, 500)];
        RecordedStep[] steps = RecordedSteps.Divide(new RecordedRange(0, 10), 1000, intervals);
        Assert.Equal(10, steps.Length);
        Assert.All(steps, s => Assert.Equal((0.5, 0.5, 1), (s.Cpu, s.Peak, s.Intervals)));
    }

    [Fact]
    public void A_report_adds_up_threads_and_finds_their_peaks()
    {
        RecordedReport report = new(0.9, 2);
        report.Add(Interval(0, Row(1, "a", 5 * Second), Row(2, "b", Second, Second)));
        report.Add(Interval(1, Row(2, "b", 2 * Second, 3 * Second), Row(3, "c", Second)));
        report.Add(Interval(2, Row(2, "renamed", Second, 0)));
        Assert.Equal(15 * Second, report.Length);
        Assert.Equal([("a", 5 * Second), ("b", 3 * Second)], report.ByCpu.Select(t => (t.Key.Name, t.Cpu)));
        Assert.Equal([("b", 4 * Second)], report.ByWait.Select(t => (t.Key.Name, t.Wait)));
        Assert.Equal((0.4, Start + 5000), (report.ByWait.First().Peak, report.ByWait.First().PeakAt));
    }

    [Fact]
    public void Saturated_intervals_one_after_the_other_are_one_span()
    {
        RecordedReport report = new(0.9, 20);
        long busy = 9 * Second / 2;
        foreach (int number in (int[])[0, 1, 2])
            report.Add(Interval(number, Row(1, "a", busy)));
        report.Add(Interval(3, Row(1, "a", busy - 1)));
        foreach (int number in (int[])[4, 5])
            report.Add(Interval(number, Row(1, "a", busy)));
        // The daemon did not run for a while.
        report.Add(Interval(50, Row(1, "a", busy)));
        Assert.Equal(
            [(Start - 5000, Start + 10_000, 15 * Second), (Start + 15_000, Start + 25_000, 10 * Second), (Start + 245_000, Start + 250_000, 5 * Second)],
            report.Saturated.Select(s => (s.Time.From, s.Time.To, s.Length)));
    }

    [Fact]
    public void Throttled_threads_have_a_span_with_the_last_reason()
    {
        RecordedReport report = new(0.9, 20);
        report.Add(Interval(0, Row(1, "a", Second, Second, Verdict.Throttled, "first")));
        report.Add(Interval(1, Row(1, "a", Second, Second, Verdict.Throttled, "second"), Row(2, "b", Second, Second, Verdict.Starved, "others")));
        ReportSpan span = Assert.Single(report.Throttled);
        Assert.Equal(("a", "second", 10 * Second), (span.Key.Name, span.Reason, span.Length));
    }

    [Fact]
    public void The_memory_of_a_report_is_bounded_and_the_top_stays_right()
    {
        RecordedReport report = new(0.9, 3);
        int tid = 0;
        for (int i = 0; i < 1200; i++)
        {
            HotThreadRow[] rows = [Row(1, "always", Second), .. Enumerable.Range(0, 100).Select(_ => Row(1000 + tid++, "short", 60_000_000))];
            report.Add(Interval(i, rows));
        }
        Assert.Equal(("always", 1200 * Second), (report.ByCpu.First().Key.Name, report.ByCpu.First().Cpu));
    }
}
