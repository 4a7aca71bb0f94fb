using System.Diagnostics;
using System.Globalization;

namespace ThreadExporter.Tests.Fuzz;

/// <summary>
/// Every parser of untrusted text with random inputs: none may throw, hang, or give another result than the slow reference parser in
/// <see cref="FuzzTargets"/>. A few seconds by default; <c>make fuzz</c> uses a hundred times as many inputs (FUZZ_FACTOR). FUZZ_SEED repeats a run.
/// </summary>
public class FuzzTests(ITestOutputHelper output)
{
    // Microseconds are normal. Apart from a hang, only a stall of the machine takes this long.
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    private static readonly ulong Seed = ulong.TryParse(Environment.GetEnvironmentVariable("FUZZ_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed)
        ? seed : (ulong)Stopwatch.GetTimestamp();

    private static readonly long Factor = long.TryParse(Environment.GetEnvironmentVariable("FUZZ_FACTOR"), NumberStyles.None, CultureInfo.InvariantCulture, out long factor)
        ? factor : 1;

    public static TheoryData<string> Parsers => [.. FuzzTargets.All.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Parsers))]
    public void No_input_breaks_a_parser(string parser)
    {
        FuzzTarget target = FuzzTargets.All.Single(t => t.Name == parser);
        Mutator mutator = new(target.Files, target.Pieces);
        long inputs = target.Inputs * Factor;
        long start = Stopwatch.GetTimestamp();
        TimeSpan slowest = TimeSpan.Zero;
        int accepted = 0;
        for (long number = 0; number < inputs; number++)
        {
            ReadOnlySpan<byte> input = mutator.Make(Seed, number);
            long started = Stopwatch.GetTimestamp();
            string? error;
            try
            {
                error = target.Check(input, out bool good);
                accepted += good ? 1 : 0;
            }
            catch (Exception e)
            {
                error = e.ToString();
            }
            TimeSpan took = Stopwatch.GetElapsedTime(started);
            slowest = took > slowest ? took : slowest;
            if (took > Bound)
                error ??= $"took {took}";
            if (error is not null)
                Assert.Fail($"{parser}, FUZZ_SEED={Seed}, input {number}: {error}\n{Convert.ToHexString(input)}");
        }
        // The mutations are similar enough to valid texts to pass the first check of the parser.
        Assert.InRange(accepted, inputs / 100, inputs);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{parser}: {inputs} inputs, {accepted} of them valid, in {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s, the slowest {slowest.TotalMilliseconds:F1} ms; FUZZ_SEED={Seed}"));
    }
}
