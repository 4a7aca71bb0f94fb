namespace ThreadExporter.Recording;

/// <summary>A part of a range. Values are averages over the recorded time in it.</summary>
/// <param name="Time">When it is.</param>
/// <param name="Cpu">Cores that the watched processes used.</param>
/// <param name="Wait">Cores that their threads waited for.</param>
/// <param name="Peak">The largest share of a core, 0 to 1, that one thread used in an interval.</param>
/// <param name="Intervals">How many intervals are in it, wholly or in part; 0: nothing was recorded.</param>
internal readonly record struct RecordedStep(RecordedRange Time, double Cpu, double Wait, double Peak, int Intervals);

/// <summary>Divides a range into steps, for a picture of it.</summary>
internal static class RecordedSteps
{
    /// <param name="range">The range; not empty.</param>
    /// <param name="steps">How many; fewer when a step would be shorter than a millisecond.</param>
    /// <param name="intervals">The intervals in the range.</param>
    public static RecordedStep[] Divide(RecordedRange range, int steps, IEnumerable<RecordedSums> intervals)
    {
        long length = range.To - range.From;
        steps = (int)Math.Min(steps, length);
        (double Cpu, double Wait, long Time, long Peak, int Intervals)[] sums = new (double, double, long, long, int)[steps];
        foreach (RecordedSums interval in intervals)
        {
            if (interval.Length <= 0)
                continue;
            for (int i = IndexOf(interval.Time.From); i <= IndexOf(interval.Time.To); i++)
            {
                RecordedRange step = StepAt(i);
                long overlap = Math.Min(step.To, interval.Time.To) - Math.Max(step.From, interval.Time.From);
                if (overlap <= 0)
                    continue;
                ref (double Cpu, double Wait, long Time, long Peak, int Intervals) sum = ref sums[i];
                sum.Cpu += (double)interval.Cpu / interval.Length * overlap;
                sum.Wait += (double)interval.Wait / interval.Length * overlap;
                sum.Time += overlap;
                sum.Peak = Math.Max(sum.Peak, interval.Peak);
                sum.Intervals++;
            }
        }
        return [.. sums.Select((s, i) => new RecordedStep(StepAt(i), s.Time == 0 ? 0 : s.Cpu / s.Time, s.Time == 0 ? 0 : s.Wait / s.Time, s.Peak / 1000.0, s.Intervals))];

        int IndexOf(long time) => (int)Int128.Clamp((Int128)(time - range.From) * steps / length, 0, steps - 1);
        RecordedRange StepAt(int index) => new(range.From + (long)((Int128)length * index / steps), range.From + (long)((Int128)length * (index + 1) / steps));
    }
}
