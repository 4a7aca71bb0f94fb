using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Hosting;

/// <summary>
/// The settings that the garbage collector of the running program reports: an option of the project file that the program does not take over
/// has no other effect than more memory.
/// </summary>
public class GarbageCollectorTests
{
    [Fact]
    public async Task The_settings_of_the_project_file_are_those_of_the_program()
    {
        await using Daemon daemon = await Daemon.StartAsync(["--filter", "no-such-process", "--log.level", "debug"]);
        const string Start = "Settings of the garbage collector: ";
        string line = Assert.Single(daemon.Log.Split('\n'), l => l.Contains(Start, StringComparison.Ordinal));
        Dictionary<string, string> settings = line[(line.IndexOf(Start, StringComparison.Ordinal) + Start.Length)..].Split(", ").Select(s => s.Split('=')).ToDictionary(s => s[0], s => s[1]);
        Assert.Equal("1048576", settings["GCGen0MaxBudget"]);
        Assert.Equal("4294967296", settings["GCRegionRange"]);
        Assert.Equal("False", settings["ServerGC"]);
        Assert.Equal("False", settings["ConcurrentGC"]);
    }
}
