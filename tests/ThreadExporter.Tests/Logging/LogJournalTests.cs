using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using ThreadExporter.Configuration;
using ThreadExporter.Logging;

namespace ThreadExporter.Tests.Logging;

public sealed class LogJournalTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("log-");
    private readonly StringWriter _output = new();
    private readonly Socket _journal = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly string _socket;

    public LogJournalTests()
    {
        _socket = Path.Combine(_directory.FullName, "socket");
        _journal.ReceiveTimeout = 5000;
    }

    [Theory]
    [InlineData(JournalMode.Auto, true, true)]
    [InlineData(JournalMode.Auto, false, false)]
    [InlineData(JournalMode.Always, false, true)]
    [InlineData(JournalMode.Never, true, false)]
    public void The_mode_chooses_between_journal_and_standard_output(object mode, bool stderrIsJournal, bool journal)
    {
        Listen();
        using LogSetup log = Create(new LogConfig { Journal = (JournalMode)mode }, stderrIsJournal);
        log.Factory.CreateLogger("X").LogInformation("hello");
        Assert.Equal(journal, _journal.Poll(0, SelectMode.SelectRead));
        Assert.Equal(journal, _output.ToString().Length == 0);
    }

    [Fact]
    public void A_record_of_many_lines_is_one_entry_with_structured_fields()
    {
        Listen();
        using LogSetup log = Create(new LogConfig());
        log.Factory.CreateLogger("ThreadExporter.Reload").LogError("{ConfigFile}:{Line}:{Column}: bad\nsecond line", "/etc/x.toml", 3, 14);
        Assert.Equal(
            [
                ("MESSAGE", "/etc/x.toml:3:14: bad\nsecond line"), ("PRIORITY", "3"), ("SYSLOG_IDENTIFIER", "thread-exporter"),
                ("LOGGER", "ThreadExporter.Reload"), ("CONFIG_FILE", "/etc/x.toml"), ("LINE", "3"), ("COLUMN", "14"),
            ],
            Receive());
        Assert.False(_journal.Poll(0, SelectMode.SelectRead));
    }

    [Fact]
    public void A_message_does_not_steer_the_terminal_of_journalctl_and_its_fields_are_exact()
    {
        Listen();
        using LogSetup log = Create(new LogConfig());
        log.Factory.CreateLogger("X").LogWarning("process {Process}\nis odd", "a\u202e\u001b[2J");
        List<(string, string)> fields = Receive();
        Assert.Equal(("MESSAGE", "process a\\u202E\\u001B[2J\nis odd"), fields[0]);
        Assert.Contains(("PROCESS", "a\u202e\u001b[2J"), fields);
    }

    [Theory]
    [InlineData(LogLevel.Trace, "7")]
    [InlineData(LogLevel.Debug, "7")]
    [InlineData(LogLevel.Information, "6")]
    [InlineData(LogLevel.Warning, "4")]
    [InlineData(LogLevel.Error, "3")]
    [InlineData(LogLevel.Critical, "2")]
    public void Levels_are_syslog_priorities(LogLevel level, string priority)
    {
        Listen();
        using LogSetup log = Create(new LogConfig { Level = LogLevel.Trace });
        log.Factory.CreateLogger("X").Log(level, "x");
        Assert.Contains(("PRIORITY", priority), Receive());
    }

    [Fact]
    public void An_exception_is_part_of_the_message()
    {
        Listen();
        using LogSetup log = Create(new LogConfig());
        log.Factory.CreateLogger("X").LogCritical(new InvalidOperationException("no luck"), "failed");
        Assert.Contains(("MESSAGE", "failed\nSystem.InvalidOperationException: no luck"), Receive());
    }

    [Fact]
    public void A_property_cannot_take_the_place_of_the_record_s_own_fields()
    {
        Listen();
        using LogSetup log = Create(new LogConfig());
        log.Factory.CreateLogger("X").LogInformation("{Message} {Priority} {Logger}", "forged", 0, "other");
        Assert.Equal(
            [
                ("MESSAGE", "forged 0 other"), ("PRIORITY", "6"), ("SYSLOG_IDENTIFIER", "thread-exporter"), ("LOGGER", "X"),
                ("PROPERTY_MESSAGE", "forged"), ("PROPERTY_PRIORITY", "0"), ("PROPERTY_LOGGER", "other"),
            ],
            Receive());
    }

    [Fact]
    public void Without_a_journal_records_go_to_standard_output_until_it_listens()
    {
        using LogSetup log = Create(new LogConfig { Journal = JournalMode.Always });
        ILogger logger = log.Factory.CreateLogger("X");
        logger.LogInformation("one");
        Assert.EndsWith(" info  X one\n", _output.ToString(), StringComparison.Ordinal);
        Listen();
        logger.LogInformation("two");
        Assert.Contains(("MESSAGE", "two"), Receive());
        Assert.DoesNotContain("two", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_journal_never_blocks_and_the_loss_is_reported_when_it_accepts_records_again()
    {
        Listen();
        using LogSetup log = Create(new LogConfig());
        ILogger logger = log.Factory.CreateLogger("X");
        // More than any net.unix.max_dgram_qlen and socket buffer can hold.
        const int Count = 20_000;
        for (int i = 0; i < Count; i++)
            logger.LogInformation("record {Number}", i);
        int taken = Drain();
        Assert.InRange(taken, 1, Count - 1);
        Assert.Empty(_output.ToString());

        logger.LogInformation("again");
        Assert.Contains(("MESSAGE", "again"), Receive());
        Assert.Contains(("MESSAGE", $"{Count - taken} log records were lost: the journal socket was full"), Receive());
        Assert.Equal(0, Drain());
    }

    public void Dispose()
    {
        _journal.Dispose();
        _output.Dispose();
        _directory.Delete(recursive: true);
    }

    private void Listen() => _journal.Bind(new UnixDomainSocketEndPoint(_socket));

    private LogSetup Create(LogConfig config, bool stderrIsJournal = true) =>
        LogSetup.Create(config, stderrIsJournal, _socket, _output);

    private int Drain()
    {
        byte[] buffer = new byte[65536];
        int count = 0;
        for (; _journal.Poll(0, SelectMode.SelectRead); count++)
            _journal.Receive(buffer);
        return count;
    }

    /// <summary>One datagram, parsed according to the protocol's documentation.</summary>
    private List<(string Name, string Value)> Receive()
    {
        byte[] buffer = new byte[65536];
        ReadOnlySpan<byte> bytes = buffer.AsSpan(0, _journal.Receive(buffer));
        List<(string, string)> fields = new();
        while (!bytes.IsEmpty)
        {
            int end = bytes.IndexOf((byte)'\n');
            int equals = bytes[..end].IndexOf((byte)'=');
            int length = equals >= 0 ? end - equals - 1 : (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes[(end + 1)..]);
            int start = equals >= 0 ? equals + 1 : end + 9;
            fields.Add((Encoding.UTF8.GetString(bytes[..(equals >= 0 ? equals : end)]), Encoding.UTF8.GetString(bytes.Slice(start, length))));
            bytes = bytes[(start + length + 1)..];
        }
        return fields;
    }
}
