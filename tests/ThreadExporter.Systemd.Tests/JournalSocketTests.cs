using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;

namespace ThreadExporter.Systemd.Tests;

public sealed class JournalSocketTests : IDisposable
{
    private readonly DatagramReceiver _journal = new();
    private readonly JournalRecord _record = new();

    [Fact]
    public void A_record_is_one_datagram()
    {
        using JournalSocket socket = new(_journal.Path);
        _record.Add("MESSAGE", "one\ntwo");
        Assert.Equal(JournalResult.Sent, socket.Send(_record));
        Assert.Equal(_record.Bytes.ToArray(), _journal.Receive());
        Assert.True(_journal.IsEmpty);
    }

    [Fact]
    public void A_record_too_large_for_a_datagram_comes_as_a_sealed_memory_file()
    {
        using JournalSocket socket = new(_journal.Path);
        _record.Add("MESSAGE", new string('x', 20_000_000));
        Assert.Equal(JournalResult.Sent, socket.Send(_record));

        int descriptor = _journal.ReceiveDescriptor(out int payload);
        Assert.Equal(0, payload);
        Assert.NotEqual(-1, descriptor);
        using SafeFileHandle handle = new(descriptor, ownsHandle: true);
        // F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE: journald rejects a file with fewer seals.
        Assert.Equal(0xF, DatagramReceiver.Seals(descriptor));
        byte[] content = new byte[RandomAccess.GetLength(handle)];
        Assert.Equal(content.Length, RandomAccess.Read(handle, content, 0));
        Assert.Equal(_record.Bytes, content);
    }

    [Fact]
    public void No_descriptor_is_left_open_after_large_records()
    {
        using JournalSocket socket = new(_journal.Path);
        _record.Add("MESSAGE", new string('x', 20_000_000));
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(JournalResult.Sent, socket.Send(_record));
            new SafeFileHandle(_journal.ReceiveDescriptor(out _), ownsHandle: true).Dispose();
        }
        Assert.DoesNotContain(
            Directory.EnumerateFiles("/proc/self/fd"), file => new FileInfo(file).LinkTarget?.Contains("journal-record", StringComparison.Ordinal) == true);
    }

    [Fact]
    public void A_missing_socket_is_unavailable_until_it_appears()
    {
        string path = _journal.Path + ".later";
        using JournalSocket socket = new(path);
        _record.Add("MESSAGE", "lost");
        Assert.Equal(JournalResult.Unavailable, socket.Send(_record));

        File.CreateSymbolicLink(path, _journal.Path);
        Assert.Equal(JournalResult.Sent, socket.Send(_record));
    }

    [Fact]
    public void A_socket_without_a_listener_is_unavailable()
    {
        string path = _journal.Path + ".dead";
        using (Socket dead = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(path + ".bound"));
            // .NET removes the file that it bound; a moved one stays, as after a crash of journald.
            File.Move(path + ".bound", path);
        }
        using JournalSocket socket = new(path);
        _record.Add("MESSAGE", "lost");
        Assert.Equal(JournalResult.Unavailable, socket.Send(_record));
    }

    [Fact]
    public void A_full_socket_drops_at_once_and_accepts_records_again_when_it_is_read()
    {
        using JournalSocket socket = new(_journal.Path);
        _record.Add("MESSAGE", "x");
        int sent = 0;
        while (sent < 100_000 && socket.Send(_record) == JournalResult.Sent)
            sent++;
        Assert.InRange(sent, 1, 99_999);
        Assert.Equal(JournalResult.Dropped, socket.Send(_record));

        _journal.Receive();
        Assert.Equal(JournalResult.Sent, socket.Send(_record));
    }

    [Fact]
    public void A_disposed_socket_does_not_throw()
    {
        JournalSocket socket = new(_journal.Path);
        socket.Dispose();
        _record.Add("MESSAGE", "x");
        Assert.Equal(JournalResult.Unavailable, socket.Send(_record));
    }

    [Fact]
    public void A_path_too_long_for_a_socket_address_is_rejected_by_the_constructor() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new JournalSocket("/" + new string('x', 108)));

    [Fact]
    public async Task Records_of_many_threads_arrive_whole()
    {
        using JournalSocket socket = new(_journal.Path);
        List<string> received = new();
        const int PerThread = 200;
        Task[] senders = [.. Enumerable.Range(0, 4).Select(thread => Task.Run(
            () =>
            {
                JournalRecord record = new();
                for (int i = 0; i < PerThread; i++)
                {
                    record.Clear();
                    record.Add("MESSAGE", $"{thread} {i} {new string((char)('a' + thread), 300)}");
                    while (socket.Send(record) != JournalResult.Sent)
                        Thread.Yield();
                }
            },
            TestContext.Current.CancellationToken))];
        while (received.Count < 4 * PerThread)
            received.Add(_journal.ReceiveText());
        await Task.WhenAll(senders);
        for (int thread = 0; thread < 4; thread++)
        {
            string prefix = $"MESSAGE={thread} ";
            Assert.Equal(
                Enumerable.Range(0, PerThread).Select(i => $"{prefix}{i} {new string((char)('a' + thread), 300)}\n"),
                received.Where(text => text.StartsWith(prefix, StringComparison.Ordinal)));
        }
    }

    public void Dispose() => _journal.Dispose();
}
