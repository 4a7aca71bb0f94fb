using ThreadExporter.Commands;
using ThreadExporter.Settings;
using ThreadExporter.Text;

// First of all, and never taken away: while no handler stands, a SIGHUP ends the process, at its start and at its end.
ReloadQueue requests = new();
CommandLine commandLine = new(
    invocation => RunCommand.RunAsync(invocation, requests),
    InspectCommands.Check,
    InspectCommands.Once,
    ReloadCommand.RunAsync);
try
{
    return await commandLine.InvokeAsync(args);
}
// The codes are in docs/configuration.md.
catch (Exception e)
{
    Console.Error.WriteLine(Printable.Lines($"thread-exporter: {Failures.Line(e)}"));
    return ExitCode.Failure;
}
