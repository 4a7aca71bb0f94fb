using ThreadExporter.Commands;
using ThreadExporter.Hosting;
using ThreadExporter.Text;

// First of all, and never taken away: while no handler stands, a SIGHUP ends the process, at its start and at its end.
ReloadRequests requests = new();
CommandLine commandLine = new(
    invocation => RunCommand.RunAsync(invocation, requests),
    InspectCommands.Check,
    InspectCommands.Once,
    ReloadCommand.RunAsync);
try
{
    return await commandLine.InvokeAsync(args);
}
// One clear line for a person at a terminal or in the journal; the codes are in docs/configuration.md.
catch (Exception e) when (e is IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine(Printable.Lines($"thread-exporter: {e.Message}"));
    return ExitCode.Failure;
}
