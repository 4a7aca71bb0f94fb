using System.Collections.Immutable;
using ThreadExporter.Configuration;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Configuration;

/// <summary>Invalid files in Bad/, each with its exact errors in a file beside it.</summary>
public class BadFileTests
{
    private static string Folder { get; } = Repository.File("tests/ThreadExporter.Tests/Configuration/Bad");

    public static TheoryData<string> Names => [.. Directory.EnumerateFiles(Folder, "*.toml").Select(f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal)];

    private static ConfigResult Load(string name) =>
        ConfigLoader.Parse(File.ReadAllBytes(Path.Combine(Folder, name + ".toml")), name + ".toml", new ConfigOverrides());

    [Theory]
    [MemberData(nameof(Names))]
    public void Has_exactly_the_errors_beside_it(string name)
    {
        ConfigResult result = Load(name);
        Assert.Null(result.Config);
        Assert.Equal(File.ReadAllText(Path.Combine(Folder, name + ".errors")), string.Concat(result.Errors.Select(e => e + "\n")));
    }

    [Fact]
    public void There_is_a_file_for_every_expectation() =>
        Assert.Equal(
            Directory.EnumerateFiles(Folder, "*.errors").Select(f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal),
            Names.Select(row => row.Data));

    [Theory]
    [InlineData("basic-auth")]
    [InlineData("basic-auth-syntax")]
    public void No_message_about_users_contains_a_value(string name)
    {
        ImmutableArray<ConfigError> errors = Load(name).Errors;
        Assert.True(errors.Length >= 4);
        Assert.All(errors, e => Assert.DoesNotContain("secret", e.ToString() + e.Key, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void The_key_that_pages_show_is_the_dotted_name() =>
        Assert.Equal(["web.max_requests", "collector.rescan_interval"], Load("out-of-range").Errors.Take(2).Select(e => e.Key));
}
