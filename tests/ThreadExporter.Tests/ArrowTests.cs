using System.Text.RegularExpressions;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests;

/// <summary>Arrows point one way: Web → Exposition → Collection → Matching → Configuration; Collection → Procfs; Configuration → Toml; all → Text.</summary>
public partial class ArrowTests
{
    [Theory]
    [InlineData("ThreadExporter.Procfs", "")]
    [InlineData("ThreadExporter.Toml", "")]
    [InlineData("ThreadExporter.Systemd", "")]
    [InlineData("ThreadExporter/Text", "")]
    // Procfs for its reader that never waits for a FIFO: docs/decisions/0004.
    [InlineData("ThreadExporter/Configuration", "Toml Procfs Text")]
    [InlineData("ThreadExporter/Matching", "Configuration Procfs Text")]
    [InlineData("ThreadExporter/Collection", "Configuration Matching Procfs Text")]
    [InlineData("ThreadExporter/Exposition", "Configuration Collection Procfs Text")]
    [InlineData("ThreadExporter/Web", "Configuration Matching Collection Exposition Hosting Procfs Text")]
    public void A_folder_uses_only_those_below_it(string folder, string allowed)
    {
        string[] permitted = [.. allowed.Split(' ', StringSplitOptions.RemoveEmptyEntries), folder[(folder.LastIndexOfAny(['/', '.']) + 1)..]];
        string[] files = [.. Directory.EnumerateFiles(Repository.File("src/" + folder), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal))];
        Assert.NotEmpty(files);
        foreach (string file in files)
        {
            foreach (Match use in Use().Matches(File.ReadAllText(file)))
                Assert.True(permitted.Contains(use.Groups[1].Value), $"{Path.GetRelativePath(Repository.Root, file)} uses {use.Value}");
        }
    }

    [GeneratedRegex(@"\bThreadExporter\.(Procfs|Toml|Systemd|Text|Commands|Configuration|Matching|Collection|Exposition|Web|Hosting)\b")]
    private static partial Regex Use();
}
