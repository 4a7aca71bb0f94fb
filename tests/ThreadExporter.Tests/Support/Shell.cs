using System.Diagnostics;
using System.Globalization;
using ThreadExporter.Configuration;

namespace ThreadExporter.Tests.Support;

/// <summary>A real shell that forks when it is told: its script reads a number per line, and prints <c>done</c> when it has waited for its children.</summary>
internal sealed class Shell : IDisposable
{
    private readonly Process _process;

    public Shell(string script, params string[] arguments) =>
        _process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", script, .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;

    public int Pid => _process.Id;

    /// <summary>The shell and all its descendants, filter <c>shell</c>.</summary>
    public FilterConfig Filter => new() { Name = "shell", Pid = [Pid], Children = true };

    /// <summary>Starts the children.</summary>
    public Task<string?> StartAsync(int number)
    {
        _process.StandardInput.WriteLine(number.ToString(CultureInfo.InvariantCulture));
        return _process.StandardOutput.ReadLineAsync();
    }

    /// <summary>Starts the children and waits until the shell has waited for them.</summary>
    public void Run(int number)
    {
        _process.StandardInput.WriteLine(number.ToString(CultureInfo.InvariantCulture));
        Assert.Equal("done", _process.StandardOutput.ReadLine());
    }

    /// <summary>Waits for a line that the script prints by itself.</summary>
    public void WaitFor(string line) => Assert.Equal(line, _process.StandardOutput.ReadLine());

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }
}
