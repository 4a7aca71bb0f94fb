using static ThreadExporter.Procfs.Tests.Fixture;

namespace ThreadExporter.Procfs.Tests;

public class CmdlineTests
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
        { "blanks", "my prog a b", ["my prog", "a b"] },
        { "newline", "sh -c echo 1\necho 2", ["sh", "-c", "echo 1\necho 2"] },
        { "not-utf8", @"cat caf\xe9", ["cat", @"caf\xe9"] },
        { "no-last-nul", "a b", ["a", "b"] },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void What_processes_make_of_it(string file, string joined, string[] arguments)
    {
        byte[] text = Read("cmdline/" + file);
        Assert.Equal(joined, Cmdline.Join(text));
        Assert.Equal(arguments, Cmdline.Split(text));
    }
}
