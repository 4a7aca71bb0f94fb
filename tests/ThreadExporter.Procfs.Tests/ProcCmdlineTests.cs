using System.Text;
using ThreadExporter.Linux;
using ThreadExporter.Linux.Tests;
using static ThreadExporter.Procfs.Tests.Fixture;


namespace ThreadExporter.Procfs.Tests;

public class ProcCmdlineTests
{
    public static TheoryData<string, string, string[]> Files => new()
    {
        { "plain", "/usr/bin/ceph-osd -f --id 3", ["/usr/bin/ceph-osd", "-f", "--id", "3"] },
        { "one", "/sbin/init", ["/sbin/init"] },
        { "title", "nginx: master process /usr/sbin/nginx -g daemon off;", ["nginx: master process /usr/sbin/nginx -g daemon off;"] },
        { "title-padded", "postgres: writer", ["postgres: writer"] },
        { "empty", "", [] },
        { "only-nuls", "", [] },
        { "empty-argument", "sh -c  x", ["sh", "-c", "", "x"] },
        { "spaces", "my prog a b", ["my prog", "a b"] },
        { "newline", "sh -c echo 1\necho 2", ["sh", "-c", "echo 1\necho 2"] },
        { "not-utf8", @"cat caf\xe9", ["cat", @"caf\xe9"] },
        { "no-last-nul", "a b", ["a", "b"] },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void Command_lines_as_processes_write_them(string file, string joined, string[] arguments)
    {
        byte[] text = Read("cmdline/" + file);
        Assert.Equal(joined, ProcCmdline.Join(text));
        Assert.Equal(arguments, ProcCmdline.Split(text));
    }

    [Theory]
    [InlineData("nginx: master process /usr/sbin/nginx\0\0\0\0\0\0", "nginx: master process /usr/sbin/nginx")]
    [InlineData("postgres: checkpointer        ", "postgres: checkpointer")]
    [InlineData("sshd: alice@pts/0\0\0  \0\0", "sshd: alice@pts/0")]
    [InlineData("srv: worker        \0", "srv: worker")]
    [InlineData("   \0 \0", "")]
    [InlineData(" a  b \0", " a  b")]
    public void Titles_lose_their_padding(string text, string title)
    {
        Assert.Equal(title, ProcCmdline.Join(Encoding.ASCII.GetBytes(text)));
        Assert.Equal(title.Length == 0 ? [] : [title], ProcCmdline.Split(Encoding.ASCII.GetBytes(text)));
    }

    [Fact]
    public void Empty_arguments_at_the_end_are_dropped() =>
        Assert.Equal(["prog", "", "x"], ProcCmdline.Split("prog\0\0x\0\0\0"u8));

    [Theory]
    [InlineData(64 * 1024)]
    [InlineData(64 * 1024 - 1)]
    [InlineData(1)]
    public void Up_to_64_KiB_it_is_whole(int length)
    {
        CommandLineBytes text = ReadFile([.. Enumerable.Repeat((byte)'x', length), .. new byte[100_000]]);
        Assert.Equal((length, false), (text.Head.Length, text.WasCut));
    }

    [Fact]
    public void Beyond_that_both_ends_are_kept()
    {
        byte[] longer = [.. "java\0-cp\0"u8, .. Enumerable.Repeat((byte)'a', 300_000), .. "\0com.example.Main\0--id\x37\0"u8, .. new byte[200_000]];
        CommandLineBytes text = ReadFile(longer);
        Assert.True(text.WasCut);
        Assert.Equal(ProcCmdline.KeptOfEachEnd, text.Head.Length);
        Assert.Equal(ProcCmdline.KeptOfEachEnd, text.Tail.Length);
        Assert.True(longer.AsSpan().StartsWith(text.Head));
        Assert.True(text.Tail.AsSpan().EndsWith("a\0com.example.Main\0--id\x37"u8));
        // One byte too many is enough.
        Assert.True(ReadFile([.. Enumerable.Repeat((byte)'x', (64 * 1024) + 1)]).WasCut);
    }

    [Fact]
    public void A_cut_does_not_go_through_a_character()
    {
        for (int shift = 0; shift < 4; shift++)
        {
            string line = new string('x', shift) + string.Concat(Enumerable.Repeat("\U0001F600", 30_000));
            CommandLineBytes text = ReadFile(Encoding.UTF8.GetBytes(line));
            Assert.True(text.WasCut);
            Assert.DoesNotContain('\\', ProcCmdline.Join(text.Head) + ProcCmdline.Join(text.Tail));
            Assert.InRange(text.Head.Length, ProcCmdline.KeptOfEachEnd - 3, ProcCmdline.KeptOfEachEnd);
            Assert.InRange(text.Tail.Length, ProcCmdline.KeptOfEachEnd - 3, ProcCmdline.KeptOfEachEnd);
        }
    }

    [Fact]
    public void Reading_an_endless_one_stops()
    {
        Assert.Equal(ReadStatus.Ok, RawFile.Open(-1, "/dev/zero"u8, out int fd));
        Assert.Equal(ReadStatus.Ok, ProcCmdline.Read(fd, out CommandLineBytes text));
        RawFile.Close(fd);
        Assert.Equal((0, false), (text.Head.Length, text.WasCut));
    }

    [Fact]
    public void The_arguments_at_a_cut_are_left_out()
    {
        CommandLineBytes text = new("osd\0-f\0--id\0/a/b"u8.ToArray(), "--id=5\0-x\0last\0\0"u8.ToArray());
        Assert.Equal(["osd", "-f", "--id", "", "-x", "last"], ProcCmdline.Split(text));
        Assert.Equal([""], ProcCmdline.Split(new CommandLineBytes("title"u8.ToArray(), "end"u8.ToArray())));
        Assert.Equal(["a", "b"], ProcCmdline.Split(new CommandLineBytes("a\0b\0"u8.ToArray(), [])));
    }

    private static CommandLineBytes ReadFile(byte[] content)
    {
        using TemporaryDirectory directory = new();
        string path = Path.Combine(directory.Path, "cmdline");
        File.WriteAllBytes(path, content);
        Assert.Equal(ReadStatus.Ok, RawFile.Open(-1, Encoding.UTF8.GetBytes(path), out int fd));
        try
        {
            Assert.Equal(ReadStatus.Ok, ProcCmdline.Read(fd, out CommandLineBytes text));
            return text;
        }
        finally
        {
            RawFile.Close(fd);
        }
    }
}
