using System.Text;
using ThreadExporter.Configuration;
using ThreadExporter.Tests.Queries;

namespace ThreadExporter.Tests.Configuration;

/// <summary>Users copy the examples in the docs, so they must load.</summary>
public class DocumentedConfigTests
{
    // docs/roles.md has role files, which RoleFileTests loads.
    public static TheoryData<string, string> Examples { get; } = [.. MarkdownBlocks.Files.Where(f => f != "docs/roles.md").SelectMany(f => MarkdownBlocks.Read(f, "toml"))];

    [Theory]
    [MemberData(nameof(Examples))]
    public void It_loads(string place, string example) =>
        Assert.Empty(ConfigLoader.Parse(Encoding.UTF8.GetBytes(example), place, new ConfigOverrides()).Errors.Select(e => e.Message));
}
