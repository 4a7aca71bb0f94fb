using System.Text;
using ThreadExporter.Configuration;
using ThreadExporter.Tests.Queries;

namespace ThreadExporter.Tests.Configuration;

/// <summary>Users copy the examples in the docs, so they must load.</summary>
public class DocumentedConfigTests
{
    public static TheoryData<string, string> Examples { get; } = [.. MarkdownBlocks.Files.SelectMany(f => MarkdownBlocks.Read(f, "toml"))];

    [Theory]
    [MemberData(nameof(Examples))]
    public void It_loads(string place, string example) =>
        Assert.Empty(ConfigLoader.Parse(Encoding.UTF8.GetBytes(example), place, new ConfigOverrides()).Errors.Select(e => e.Message));
}
