using System.Text;
using ThreadExporter.Configuration;

namespace ThreadExporter.Tests.Configuration;

/// <summary>Every key with globs rejects those that would silently mean something else.</summary>
public class GlobKeyTests
{
    [Theory]
    [InlineData("comm = ['a', '[z-a]']", "x.toml:2:14: filter.comm: \"[z-a]\" is not a valid glob: at character 2, the range z-a is reversed")]
    [InlineData("exe = '/usr/{bin,sbin}/x'", "x.toml:2:7: filter.exe: \"/usr/{bin,sbin}/x\" is not a valid glob: at character 6, braces are not expanded: list each glob; write \\{ for the character itself")]
    [InlineData("unit = ['[[:foo:]]']", "x.toml:2:9: filter.unit: \"[[:foo:]]\" is not a valid glob: at character 2, [:foo:] is unknown: must be one of alnum, alpha, blank, cntrl, digit, graph, lower, print, punct, space, upper, xdigit")]
    [InlineData("unit = '[a-\\x2d]'", "x.toml:2:8: filter.unit: \"[a-\\\\x2d]\" is not a valid glob: at character 2, the range a-\\ is reversed")]
    [InlineData("cgroup = '/a[b'", "x.toml:2:10: filter.cgroup: \"/a[b\" is not a valid glob: at character 3, unclosed [; write \\[ for the character itself")]
    [InlineData("match = 'x, ceph-{osd,mon}'", "x.toml:2:9: filter.match: \"x, ceph-{osd,mon}\" is not a valid glob: at character 9, braces are not expanded: list each glob; write \\{ for the character itself")]
    [InlineData("match = 'x, [a,b]'", "x.toml:2:9: filter.match: \"[a\" is not a valid glob: at character 1, unclosed [; write \\[ for the character itself")]
    [InlineData("match = 'x'\nthreads.include = '!x'", "x.toml:3:19: filter.threads.include: \"!x\" is not a valid glob: at character 1, a leading ! does not negate a glob; write \\! for the character itself")]
    [InlineData("match = 'x'\nthreads.exclude = ['^x']", "x.toml:3:20: filter.threads.exclude: \"^x\" is not a valid glob: at character 1, a leading ^ is not needed: a glob matches the whole text; write \\^ for the character itself")]
    public void A_bad_glob_is_rejected_with_position_and_hint(string lines, string error) =>
        Assert.Equal(error, Assert.Single(ConfigLoader.Parse(Encoding.UTF8.GetBytes($"[[filter]]\n{lines}\n"), "x.toml", new ConfigOverrides()).Errors).ToString());

    [Fact]
    public void The_flag_rejects_it_too() =>
        Assert.Equal(
            "--filter (or FILTER): \"{a,b}\" is not a valid glob: at character 1, braces are not expanded: list each glob; write \\{ for the character itself",
            Assert.Single(ConfigLoader.Parse([], "x.toml", new ConfigOverrides { Filter = "{a,b}" }).Errors).ToString());
}
