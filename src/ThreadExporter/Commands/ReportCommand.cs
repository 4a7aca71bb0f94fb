using ThreadExporter.Client;

namespace ThreadExporter.Commands;

/// <summary><c>thread-exporter report</c>: which threads used the CPU in a period that a daemon has recorded, as a text for a ticket.</summary>
internal static class ReportCommand
{
    public static async Task<int> RunAsync(Invocation invocation, ReportArguments arguments)
    {
        using ApiClient client = new(arguments.Url ?? TopCommand.DaemonUrl(invocation));
        string path = FormattableString.Invariant(
            $"api/v1/report?from={PointInTime.ForApi(arguments.From)}&to={PointInTime.ForApi(arguments.To)}&n={arguments.Threads}");
        ApiReply reply = await client.GetAsync(path, CancellationToken.None);
        if (reply.Error is { } error)
            return Fail(error);
        ReportResponse? report = Answers.Read(reply.Body, AnswerJson.Default.ReportResponse);
        if (report is not { From: { } from, To: { } to })
            return Fail($"{client.Url} does not answer as thread-exporter does: is this the right port?");
        if (arguments.IsJson)
        {
            await using Stream output = Console.OpenStandardOutput();
            await output.WriteAsync(reply.Body);
            return ExitCode.Success;
        }
        foreach (string line in ReportText.Lines(report, from, to, TimeZoneInfo.Local))
            Console.Out.WriteLine(line);
        return ExitCode.Success;
    }

    private static int Fail(string error)
    {
        Console.Error.WriteLine($"thread-exporter: {error}");
        return ExitCode.Failure;
    }
}
