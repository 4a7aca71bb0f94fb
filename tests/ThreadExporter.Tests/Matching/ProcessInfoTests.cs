using System.Diagnostics;
using System.Text;
using ThreadExporter.Linux;
using ThreadExporter.Matching;
using ThreadExporter.Procfs;

namespace ThreadExporter.Tests.Matching;

public sealed class ProcessInfoTests
{
    [Fact]
    public void Reads_each_property_once_and_caches_it()
    {
        using FakeProcess process = new(uid: 64045, cgroup: "0::/a.service\n", cmdline: "a|b c", exe: "/usr/bin/a");
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(ReadStatus.Ok, process.Info.GetEffectiveUid(out uint uid));
            Assert.Equal(64045u, uid);
            Assert.Equal(ReadStatus.Ok, process.Info.GetCgroups(out List<CgroupEntry>? entries));
            Assert.Equal([new CgroupEntry(0, "", "/a.service")], entries);
            Assert.Equal(ReadStatus.Ok, process.Info.GetExe(out string? exe));
            Assert.Equal("/usr/bin/a", exe);
            Assert.True(process.Info.TryGetCommandLine(out CommandText? commandLine));
            Assert.Equal("a b c", commandLine.ToString());
            Assert.True(process.Info.TryGetArguments(out IReadOnlyList<string>? arguments));
            Assert.Equal(["a", "b c"], arguments);
            process.Write("status", "");
            process.Write("cgroup", "");
        }
        Assert.Equal(1, process.CommandLineReads);
    }

    [Fact]
    public void Reports_what_is_gone_malformed_or_not_known()
    {
        using FakeProcess process = new(cmdline: null);
        Assert.Equal(ReadStatus.Gone, process.Info.GetEffectiveUid(out _));
        Assert.Equal(ReadStatus.Gone, process.Info.GetCgroups(out List<CgroupEntry>? entries));
        Assert.Empty(entries);
        Assert.Equal(ReadStatus.Gone, process.Info.GetExe(out _));
        Assert.False(process.Info.TryGetCommandLine(out _));
        Assert.False(process.Info.TryGetArguments(out _));
        Assert.Equal(1, process.CommandLineReads);

        process.Write("status", "nonsense");
        process.Write("cgroup", "nonsense\n");
        ProcessInfo again = process.NewInfo();
        Assert.Equal(ReadStatus.Malformed, again.GetEffectiveUid(out _));
        Assert.Equal(ReadStatus.Malformed, again.GetCgroups(out entries));
        Assert.Empty(entries);
    }

    [Fact]
    public void An_empty_command_line_is_known()
    {
        using FakeProcess process = new(cmdline: "");
        Assert.True(process.Info.TryGetCommandLine(out CommandText? commandLine));
        Assert.Equal("", commandLine.ToString());
        Assert.True(process.Info.TryGetArguments(out IReadOnlyList<string>? arguments));
        Assert.Empty(arguments);
    }

    [Fact]
    public void A_replaced_executable_keeps_its_path()
    {
        using FakeProcess process = new(exe: "/usr/bin/a (deleted)");
        Assert.Equal(ReadStatus.Ok, process.Info.GetExe(out string? exe));
        Assert.Equal("/usr/bin/a", exe);
    }

    [Fact]
    public void A_comm_that_is_not_UTF8_is_shown_escaped()
    {
        using FakeProcess process = new(rawComm: [0x61, 0xFF]);
        Assert.Equal("a\\xff", process.Info.CommText);
    }

    [Fact]
    public void Cgroup_paths_may_be_longer_than_a_page()
    {
        StringBuilder text = new();
        for (int i = 12; i > 0; i--)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{i}:c{i}:/{new string('x', 4000)}\n");
        text.Append("0::/end.service\n");
        using FakeProcess process = new(cgroup: text.ToString());
        Assert.Equal(ReadStatus.Ok, process.Info.GetCgroups(out List<CgroupEntry>? entries));
        Assert.Equal(13, entries.Count);
        Assert.Equal("/end.service", entries[^1].Path);
    }

    [Fact]
    public void Reads_a_real_process()
    {
        Assert.Equal(ReadStatus.Ok, RawFile.OpenRoot("/proc/self", out int fd));
        try
        {
            ProcessInfo process = new(Environment.ProcessId, 0, "x"u8.ToArray(), fd, (_, _) => null);
            Assert.Equal(ReadStatus.Ok, process.GetExe(out string? exe));
            Assert.Equal(Environment.ProcessPath, exe);
            Assert.Equal(ReadStatus.Ok, process.GetEffectiveUid(out uint uid));
            Assert.Equal(Environment.IsPrivilegedProcess, uid == 0);
            Assert.Equal(ReadStatus.Ok, process.GetCgroups(out _));
        }
        finally
        {
            RawFile.Close(fd);
        }
    }

    [Fact]
    public void An_exited_process_is_gone()
    {
        using Process child = Process.Start("sleep", "1000");
        Assert.Equal(ReadStatus.Ok, RawFile.OpenRoot($"/proc/{child.Id}", out int fd));
        try
        {
            child.Kill();
            child.WaitForExit();
            ProcessInfo process = new(child.Id, 0, "sleep"u8.ToArray(), fd, (_, _) => null);
            Assert.Equal(ReadStatus.Gone, process.GetExe(out _));
            Assert.Equal(ReadStatus.Gone, process.GetEffectiveUid(out _));
            Assert.Equal(ReadStatus.Gone, process.GetCgroups(out _));
        }
        finally
        {
            RawFile.Close(fd);
        }
    }
}
