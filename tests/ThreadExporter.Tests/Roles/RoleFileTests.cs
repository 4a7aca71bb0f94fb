using System.Collections.Immutable;
using System.Text;
using ThreadExporter.Configuration;
using ThreadExporter.Roles;
using ThreadExporter.Tests.Queries;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Roles;

/// <summary>Invalid role files in Bad/, each with its exact errors in a file beside it, and the bounds of valid ones.</summary>
public class RoleFileTests
{
    private static string Folder { get; } = Repository.File("tests/ThreadExporter.Tests/Roles/Bad");

    public static TheoryData<string> Names => [.. Directory.EnumerateFiles(Folder, "*.toml").Select(f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal)];

    public static TheoryData<string, string> Examples { get; } = [.. MarkdownBlocks.Read("docs/roles.md", "toml")];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_bad_file_has_exactly_the_errors_beside_it(string name)
    {
        List<ConfigError> errors = [];
        RoleFile.Parse(File.ReadAllBytes(Path.Combine(Folder, name + ".toml")), $"roles.d/{name}.toml", errors);
        string expected = Path.Combine(Folder, name + ".errors"), actual = string.Concat(errors.Select(e => e + "\n"));
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") is not null)
            File.WriteAllText(expected, actual);
        Assert.Equal(File.ReadAllText(expected), actual);
        Assert.All(errors, e => Assert.EndsWith($" in {name}.toml", e.Key, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void An_example_of_the_docs_loads(string place, string example) => Assert.NotEmpty(Parse(example, place));

    [Fact]
    public void A_file_may_be_empty() => Assert.Empty(Parse("# nothing yet\n"));

    [Fact]
    public void A_kernel_thread_may_have_a_longer_name_and_needs_no_process()
    {
        Role role = Assert.Single(Parse("[[role]]\nkernel = true\nthread = \"rcu_tasks_trace_kthread\"\nrole = \"r\"\ntext = \"t\"\n"));
        Assert.True(role.Matches("rcu_tasks_trace_kthread", "rcu_tasks_trace_kthread", isKernelThread: true));
        Assert.False(role.Matches("rcu_tasks_trace_kthread", "rcu_tasks_trace_kthread", isKernelThread: false));
    }

    [Fact]
    public void A_process_may_be_written_in_full_and_matches_as_the_kernel_cuts_it()
    {
        Role role = Assert.Single(Parse(RoleFolder.Role("kube-controller-manager", "x", "r")));
        Assert.True(role.Matches("kube-controller", "x", isKernelThread: false));
        Assert.False(role.Matches("kube-control", "x", isKernelThread: false));
    }

    [Theory]
    [InlineData("exactly-15-byte")]
    [InlineData("*-any-length-*")]
    [InlineData("[ab][cd]?\\\\[x]")]
    public void A_pattern_that_a_name_of_15_bytes_can_match_is_valid(string thread) => Assert.Single(Parse(RoleFolder.Role("p", thread, "r")));

    private static ImmutableArray<Role> Parse(string text, string file = "r.toml")
    {
        List<ConfigError> errors = [];
        ImmutableArray<Role> roles = RoleFile.Parse(Encoding.UTF8.GetBytes(text), file, errors);
        Assert.Empty(errors.Select(e => e.ToString()));
        return roles;
    }
}
