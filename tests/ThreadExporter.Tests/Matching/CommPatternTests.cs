using System.Text;
using ThreadExporter.Matching;

namespace ThreadExporter.Tests.Matching;

public sealed class CommPatternTests
{
    [Theory]
    [InlineData("ceph-osd", "ceph-osd", true)]
    [InlineData("ceph-*", "ceph-mon", true)]
    [InlineData("ceph-osd", "ceph-osd2", false)]
    // 15 of 16 bytes are left.
    [InlineData("systemd-journald", "systemd-journal", true)]
    [InlineData("systemd-journalx", "systemd-journal", true)]
    // 14 bytes are not cut.
    [InlineData("systemd-journald", "systemd-journa", false)]
    // A pattern of exactly 15 bytes matches only itself.
    [InlineData("systemd-journal", "systemd-journal", true)]
    [InlineData("systemd-journal", "systemd-journald", false)]
    // A pattern with a wildcard must match the whole comm.
    [InlineData("systemd-journal?", "systemd-journal", false)]
    [InlineData("systemd-journ*ld", "systemd-journal", false)]
    // An escape counts as one character: this one has 15 bytes and is not longer than a comm.
    [InlineData("\\s\\y\\s\\t\\e\\m\\d-journal", "systemd-journal", true)]
    [InlineData("systemd\\-journald", "systemd-journal", true)]
    // The comm of a kernel thread may be longer, and matches as a whole.
    [InlineData("kworker/u256:3-events_unbound", "kworker/u256:3-events_unbound", true)]
    [InlineData("kworker/*", "kworker/u256:3-events_unbound", true)]
    public void Table(string pattern, string comm, bool expected) =>
        Assert.Equal(expected, new CommPattern(pattern).Matches(Encoding.UTF8.GetBytes(comm), comm));

    [Fact]
    public void Truncation_counts_bytes_and_may_split_a_character()
    {
        // 14 bytes and the first half of ü.
        const string Name = "fourteen-bytesü-worker";
        byte[] cut = Encoding.UTF8.GetBytes(Name)[..15];
        Assert.Equal(0xC3, cut[14]);
        Assert.True(new CommPattern(Name).Matches(cut, "fourteen-bytes\\xc3"));
        Assert.False(new CommPattern("fourteen-bytesa-worker").Matches(cut, "fourteen-bytes\\xc3"));
    }

    [Fact]
    public void Fifteen_characters_can_be_more_than_fifteen_bytes()
    {
        const string Name = "ärger-mit-namen";
        Assert.Equal(15, Name.Length);
        byte[] cut = Encoding.UTF8.GetBytes(Name)[..15];
        Assert.True(new CommPattern(Name).Matches(cut, "ärger-mit-name"));
    }
}
