using System.Diagnostics;
using System.Text;
using ThreadExporter.Linux;
using ThreadExporter.Matching;
using ThreadExporter.Procfs;

namespace ThreadExporter.Tests.Matching;

public sealed class ProcessInfoTests
{
    [Fact]
    public void Reads_each_fact_once_and_keeps_it()
    {
        using var process = new FakeProcess(uid: 64045, cgroup: "0::/a.service\n", cmdline: "a|b c", exe: "/usr/bin/a");
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(ReadStatus.Ok, process.Facts.GetEffectiveUid(out var uid));
            Assert.Equal(64045u, uid);
            Assert.Equal(ReadStatus.Ok, process.Facts.GetCgroups(out var entries));
            Assert.Equal([new CgroupEntry(0, "", "/a.service")], entries);
            Assert.Equal(ReadStatus.Ok, process.Facts.GetExe(out var exe));
            Assert.Equal("/usr/bin/a", exe);
            Assert.True(process.Facts.TryGetCommandLine(out var commandLine));
            Assert.Equal("a b c", commandLine.ToString());
            Assert.True(process.Facts.TryGetArguments(out var arguments));
            Assert.Equal(["a", "b c"], arguments);
            process.Write("status", "");
            process.Write("cgroup", "");
        }
        Assert.Equal(1, process.CommandLineReads);
    }

    [Fact]
    public void Says_what_is_gone_malformed_or_not_known()
    {
        using var process = new FakeProcess(cmdline: null);
        Assert.Equal(ReadStatus.Gone, process.Facts.GetEffectiveUid(out _));
        Assert.Equal(ReadStatus.Gone, process.Facts.GetCgroups(out var entries));
        Assert.Empty(entries);
        Assert.Equal(ReadStatus.Gone, process.Facts.GetExe(out _));
        Assert.False(process.Facts.TryGetCommandLine(out _));
        Assert.False(process.Facts.TryGetArguments(out _));
        Assert.Equal(1, process.CommandLineReads);

        process.Write("status", "nonsense");
        process.Write("cgroup", "nonsense\n");
        var again = process.NewFacts();
        Assert.Equal(ReadStatus.Malformed, again.GetEffectiveUid(out _));
        Assert.Equal(ReadStatus.Malformed, again.GetCgroups(out entries));
        Assert.Empty(entries);
    }

    [Fact]
    public void An_empty_command_line_is_known()
    {
        using var process = new FakeProcess(cmdline: "");
        Assert.True(process.Facts.TryGetCommandLine(out var commandLine));
        Assert.Equal("", commandLine.ToString());
        Assert.True(process.Facts.TryGetArguments(out var arguments));
        Assert.Empty(arguments);
    }

    [Fact]
    public void A_replaced_executable_keeps_its_path()
    {
        using var process = new FakeProcess(exe: "/usr/bin/a (deleted)");
        Assert.Equal(ReadStatus.Ok, process.Facts.GetExe(out var exe));
        Assert.Equal("/usr/bin/a", exe);
    }

    [Fact]
    public void A_comm_that_is_not_UTF8_is_shown_escaped()
    {
        using var process = new FakeProcess(rawComm: [0x61, 0xFF]);
        Assert.Equal("a\\xff", process.Facts.CommText);
    }

    [Fact]
    public void Cgroup_paths_may_be_longer_than_a_page()
    {
        var text = new StringBuilder();
        for (var i = 12; i > 0; i--)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{i}:c{i}:/{new string('x', 4000)}\n");
        text.Append("0::/end.service\n");
        using var process = new FakeProcess(cgroup: text.ToString());
        Assert.Equal(ReadStatus.Ok, process.Facts.GetCgroups(out var entries));
        Assert.Equal(13, entries.Count);
        Assert.Equal("/end.service", entries[^1].Path);
    }

    [Fact]
    public void Reads_a_real_process()
    {
        Assert.Equal(ReadStatus.Ok, RawFile.OpenRoot("/proc/self", out var fd));
        try
        {
            var facts = new ProcessInfo(Environment.ProcessId, 1, 0, "x"u8.ToArray(), fd, (_, _) => null);
            Assert.Equal(ReadStatus.Ok, facts.GetExe(out var exe));
            Assert.Equal(Environment.ProcessPath, exe);
            Assert.Equal(ReadStatus.Ok, facts.GetEffectiveUid(out var uid));
            Assert.Equal(Environment.IsPrivilegedProcess, uid == 0);
            Assert.Equal(ReadStatus.Ok, facts.GetCgroups(out _));
        }
        finally
        {
            RawFile.Close(fd);
        }
    }

    [Fact]
    public void A_process_that_has_ended_is_gone()
    {
        using var child = Process.Start("sleep", "1000");
        Assert.Equal(ReadStatus.Ok, RawFile.OpenRoot($"/proc/{child.Id}", out var fd));
        try
        {
            child.Kill();
            child.WaitForExit();
            var facts = new ProcessInfo(child.Id, 1, 0, "sleep"u8.ToArray(), fd, (_, _) => null);
            Assert.Equal(ReadStatus.Gone, facts.GetExe(out _));
            Assert.Equal(ReadStatus.Gone, facts.GetEffectiveUid(out _));
            Assert.Equal(ReadStatus.Gone, facts.GetCgroups(out _));
        }
        finally
        {
            RawFile.Close(fd);
        }
    }
}
