using ThreadExporter.Commands;
using ThreadExporter.Settings;
using ThreadExporter.Text;

// Created first and never disposed: without a handler a SIGHUP ends the process, also during start and shutdown.
ReloadQueue requests = new();
CommandLine commandLine = new(
    invocation => RunCommand.RunAsync(invocation, requests),
    InspectCommands.Check,
    InspectCommands.Once,
    ReloadCommand.RunAsync,
    ConvertCommand.Run,
    RolesCommand.Run,
    TopCommand.RunAsync,
    ReportCommand.RunAsync);
try
{
    return await commandLine.InvokeAsync(args);
}
// docs/configuration.md lists the exit codes.
catch (Exception e)
{
    Console.Error.WriteLine(Printable.Lines($"thread-exporter: {Failures.Line(e)}"));
    return ExitCode.Failure;
}
