using System.Globalization;
using System.Text;

namespace ThreadExporter.Linux.Tests;

public sealed class RawFileTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly int _fd;

    public RawFileTests() => Assert.Equal(ReadStatus.Ok, RawFile.OpenRoot(_directory.Path, out _fd));

    public void Dispose()
    {
        RawFile.Close(_fd);
        _directory.Dispose();
    }

    [Theory]
    [InlineData(0, ReadStatus.Ok)]
    [InlineData(1, ReadStatus.Denied)] // EPERM
    [InlineData(2, ReadStatus.Gone)] // ENOENT
    [InlineData(3, ReadStatus.Gone)] // ESRCH
    [InlineData(5, ReadStatus.Other)] // EIO
    [InlineData(13, ReadStatus.Denied)] // EACCES
    [InlineData(20, ReadStatus.Gone)] // ENOTDIR
    [InlineData(21, ReadStatus.Other)] // EISDIR
    [InlineData(23, ReadStatus.NoDescriptors)] // ENFILE
    [InlineData(24, ReadStatus.NoDescriptors)] // EMFILE
    public void Errno_to_status(int errno, ReadStatus status) => Assert.Equal(status, RawFile.StatusOf(errno));

    [Fact]
    public void A_file_is_read_whole()
    {
        _directory.Write("10/stat", "text");
        Assert.Equal((ReadStatus.Ok, "text"), ReadOnce("10/stat"));
    }

    [Theory]
    [InlineData(3, "tex")]
    [InlineData(4, "text")]
    [InlineData(0, "")]
    public void A_small_buffer_gets_what_fits(int size, string expected)
    {
        _directory.Write("file", "text");
        Assert.Equal((ReadStatus.Ok, expected), ReadOnce("file", size));
    }

    [Fact]
    public void An_empty_file() => Assert.Equal((ReadStatus.Ok, ""), (_directory.Write("file", ""), ReadOnce("file")).Item2);

    [Theory]
    [InlineData("missing", ReadStatus.Gone)]
    [InlineData("file/below", ReadStatus.Gone)]
    [InlineData("directory", ReadStatus.Other)]
    [InlineData("fifo", ReadStatus.Other)]
    [InlineData("loop", ReadStatus.Other)]
    [InlineData("dangling", ReadStatus.Gone)]
    [InlineData("", ReadStatus.Gone)]
    public void Paths_that_are_not_readable_files(string path, ReadStatus status)
    {
        _directory.Write("file", "text");
        Directory.CreateDirectory(Path.Combine(_directory.Path, "directory"));
        Libc.MakeFifo(Path.Combine(_directory.Path, "fifo"));
        File.CreateSymbolicLink(Path.Combine(_directory.Path, "loop"), "loop");
        File.CreateSymbolicLink(Path.Combine(_directory.Path, "dangling"), "missing");

        Assert.Equal((status, ""), ReadOnce(path));
    }

    [Fact]
    public void A_file_without_read_permission_is_denied()
    {
        _directory.Write("open", "text");
        File.SetUnixFileMode(Path.Combine(_directory.Path, "open"), (UnixFileMode)0b110_100_100);
        _directory.Write("shut", "text");
        File.SetUnixFileMode(Path.Combine(_directory.Path, "shut"), UnixFileMode.None);
        DirectoryInfo lockedRoom = Directory.CreateDirectory(Path.Combine(_directory.Path, "room"), UnixFileMode.None);

        Libc.AsNobody(() =>
        {
            Assert.Equal((ReadStatus.Ok, "text"), ReadOnce("open"));
            Assert.Equal((ReadStatus.Denied, ""), ReadOnce("shut"));
            Assert.Equal((ReadStatus.Denied, ""), ReadOnce("room/file"));
            Assert.Equal(ReadStatus.Denied, RawFile.OpenDirectory(_fd, "room"u8, out int room));
            Assert.Equal(-1, room);
            Assert.Equal(ReadStatus.Denied, RawFile.ListIds(_fd, "room"u8, []));
        });
        // So that a user other than root can delete the directory.
        lockedRoom.UnixFileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    }

    [Fact]
    public void A_path_of_255_bytes_is_the_longest()
    {
        string name = new('a', 250);
        _directory.Write(name, "text");
        Assert.Equal((ReadStatus.Ok, "text"), ReadOnce("././" + "/" + name));
        Assert.Equal((ReadStatus.Other, ""), ReadOnce("././" + "//" + name));
        Assert.Equal(ReadStatus.Other, RawFile.ReadLink(_fd, new byte[256], new byte[10], out _));
        Assert.Equal(ReadStatus.Other, RawFile.OpenDirectory(_fd, new byte[256], out int fd));
        Assert.Equal(-1, fd);
    }

    [Fact]
    public void A_kept_descriptor_reads_from_the_start_each_time()
    {
        string path = _directory.Write("file", "first");
        Assert.Equal(ReadStatus.Ok, RawFile.Open(_fd, "file"u8, out int fd));
        Assert.Equal((ReadStatus.Ok, "first"), ReadAt(fd));
        File.WriteAllText(path, "2nd");
        Assert.Equal((ReadStatus.Ok, "2nd"), ReadAt(fd));
        RawFile.Close(fd);
    }

    [Fact]
    public void No_descriptor_is_an_error()
    {
        Assert.Equal((ReadStatus.Other, ""), ReadAt(-1));
        Assert.Equal(ReadStatus.Other, RawFile.Open(-1, "file"u8, out int fd));
        Assert.Equal(-1, fd);
        RawFile.Close(-1);
    }

    [Fact]
    public void A_directory_is_opened_and_a_file_is_not()
    {
        _directory.Write("10/task/10/comm", "name\n");
        Assert.Equal(ReadStatus.Ok, RawFile.OpenDirectory(_fd, "10/task"u8, out int task));
        Assert.Equal(ReadStatus.Ok, RawFile.ReadOnce(task, "10/comm"u8, new byte[10], out int length));
        Assert.Equal(5, length);
        RawFile.Close(task);
        Assert.Equal(ReadStatus.Gone, RawFile.OpenDirectory(_fd, "10/task/10/comm"u8, out int file));
        Assert.Equal(-1, file);
        Assert.Equal(ReadStatus.Gone, RawFile.OpenDirectory(_fd, "11"u8, out _));
    }

    [Fact]
    public void A_root_may_have_a_long_path()
    {
        string path = _directory.Path + string.Concat(Enumerable.Repeat("/.", 500));
        Assert.Equal(ReadStatus.Ok, RawFile.OpenRoot(path, out int fd));
        RawFile.Close(fd);
        Assert.Equal(ReadStatus.Gone, RawFile.OpenRoot(path + "/missing", out fd));
        Assert.Equal(-1, fd);
    }

    [Fact]
    public void A_link_is_read_and_not_followed()
    {
        File.CreateSymbolicLink(Path.Combine(_directory.Path, "exe"), "/usr/bin/no such program (deleted)");
        byte[] buffer = new byte[100];
        Assert.Equal(ReadStatus.Ok, RawFile.ReadLink(_fd, "exe"u8, buffer, out int length));
        Assert.Equal("/usr/bin/no such program (deleted)", Encoding.UTF8.GetString(buffer, 0, length));
        Assert.Equal(ReadStatus.Ok, RawFile.ReadLink(_fd, "exe"u8, buffer.AsSpan(0, 4), out length));
        Assert.Equal(4, length);
        Assert.Equal(ReadStatus.Gone, RawFile.ReadLink(_fd, "missing"u8, buffer, out length));
        Assert.Equal(0, length);
        _directory.Write("file", "");
        Assert.Equal(ReadStatus.Other, RawFile.ReadLink(_fd, "file"u8, buffer, out _)); // EINVAL
    }

    [Fact]
    public void Only_numbers_are_listed()
    {
        foreach (string name in (string[])["1", "42", "2147483647", "0", "007", "2147483648", "99999999999999999999", "12x", "x12", "-1", "+1", "1.5", "self", "１２"])
            _directory.Write(name, "");
        List<int> ids = [5];
        Assert.Equal(ReadStatus.Ok, RawFile.ListIds(_fd, "."u8, ids));
        Assert.Equal([1, 42, 2147483647], ids.Order());
        // A second listing starts again.
        Assert.Equal(ReadStatus.Ok, RawFile.ListIds(_fd, "."u8, ids));
        Assert.Equal([1, 42, 2147483647], ids.Order());
    }

    [Fact]
    public void A_listing_longer_than_one_buffer()
    {
        for (int id = 1; id <= 3000; id++)
            Directory.CreateDirectory(Path.Combine(_directory.Path, "task", id.ToString(CultureInfo.InvariantCulture)));
        List<int> ids = new();
        Assert.Equal(ReadStatus.Ok, RawFile.ListIds(_fd, "task"u8, ids));
        Assert.Equal(Enumerable.Range(1, 3000), ids.Order());
    }

    [Fact]
    public void A_listing_that_fails_is_empty()
    {
        _directory.Write("file", "");
        List<int> ids = [5];
        Assert.Equal(ReadStatus.Gone, RawFile.ListIds(_fd, "missing"u8, ids));
        Assert.Empty(ids);
        Assert.Equal(ReadStatus.Gone, RawFile.ListIds(_fd, "file"u8, ids));
    }

    private (ReadStatus Status, string Text) ReadOnce(string path, int size = 100)
    {
        byte[] buffer = new byte[size];
        ReadStatus status = RawFile.ReadOnce(_fd, Encoding.UTF8.GetBytes(path), buffer, out int length);
        return (status, Encoding.UTF8.GetString(buffer, 0, length));
    }

    private static (ReadStatus Status, string Text) ReadAt(int fd)
    {
        byte[] buffer = new byte[100];
        ReadStatus status = RawFile.ReadAt(fd, buffer, out int length);
        return (status, Encoding.UTF8.GetString(buffer, 0, length));
    }
}
