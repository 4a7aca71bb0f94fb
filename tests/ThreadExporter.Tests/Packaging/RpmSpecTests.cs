using System.Text.RegularExpressions;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Packaging;

/// <summary>packaging/rpm/thread-exporter.spec as rpm reads it. tests/e2e installs a built package with dnf.</summary>
public sealed partial class RpmSpecTests
{
    private const string RpmSpec = "/usr/bin/rpmspec";

    [Fact]
    public async Task The_package_requires_the_oldest_glibc_that_is_documented()
    {
        string documented = OldestGlibc().Match(await File.ReadAllTextAsync(Repository.File("docs/install.md"), TestContext.Current.CancellationToken)).Groups[1].Value;
        Assert.NotEmpty(documented);
        Assert.SkipUnless(File.Exists(RpmSpec), "rpmspec is not installed");
        (int code, string output, string error) = await ShellRun.RunAsync(RpmSpec,
            ["-q", "--requires", "--define", $"srcdir {Repository.File(".")}", "--define", "version_from_tree 1.2.3", "--define", "rid linux-x64", "--target", "x86_64-linux",
                Repository.File("packaging/rpm/thread-exporter.spec")]);
        Assert.True(code == 0, error);
        Assert.Contains($"glibc >= {documented}", output.Split('\n'));
    }

    /// <summary>The table has a row for each; if the oldest glibc becomes newer, some rows become wrong.</summary>
    [Theory]
    [InlineData("RHEL", "9")]
    [InlineData("Ubuntu", "22.04")]
    [InlineData("Debian", "12")]
    public void The_oldest_release_of_each_distribution_is_documented(string distribution, string release) =>
        Assert.Contains(File.ReadLines(Repository.File("docs/install.md")), l => l.StartsWith($"| {distribution}", StringComparison.Ordinal) && l.EndsWith($" {release} |", StringComparison.Ordinal));

    [GeneratedRegex(@"glibc (\d+\.\d+) or later")]
    private static partial Regex OldestGlibc();
}
