using System.Buffers.Binary;
using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace ThreadExporter.Systemd.Tests;

public class JournalRecordTests
{
    [Fact]
    public void Plain_values_are_sent_as_text_in_the_order_they_were_added()
    {
        JournalRecord record = new();
        record.Add("MESSAGE", "größer = 3 µs");
        record.Add(JournalPriority.Warning);
        record.Add("EMPTY", "");
        Assert.Equal("MESSAGE=größer = 3 µs\nPRIORITY=4\nEMPTY=\n", Text(record));
    }

    [Fact]
    public void A_newline_makes_the_binary_form_with_the_length_in_little_endian()
    {
        JournalRecord record = new();
        record.Add("MESSAGE", "a\nPRIORITY=0");
        byte[] expected = [.. "MESSAGE\n"u8, 12, 0, 0, 0, 0, 0, 0, 0, .. "a\nPRIORITY=0\n"u8];
        Assert.Equal(expected, record.Bytes.ToArray());
    }

    [Fact]
    public void Bytes_that_are_not_text_are_sent_unchanged()
    {
        JournalRecord record = new();
        record.Add("RAW", [0xFF, 0x00, 0x0A, 0x80]);
        Assert.Equal([.. "RAW\n"u8, 4, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0x00, 0x0A, 0x80, 0x0A], record.Bytes.ToArray());
    }

    [Fact]
    public void A_lone_surrogate_becomes_the_replacement_character()
    {
        JournalRecord record = new();
        record.Add("MESSAGE", "a\uD800b");
        Assert.Equal("MESSAGE=a\uFFFDb\n", Text(record));
    }

    [Fact]
    public void Clear_leaves_nothing_behind()
    {
        JournalRecord record = new();
        record.Add("MESSAGE", new string('x', 5000));
        record.Clear();
        record.Add("MESSAGE", "short");
        Assert.Equal("MESSAGE=short\n", Text(record));
    }

    [Theory]
    [InlineData("")]
    [InlineData("_PID")]
    [InlineData("1ST")]
    [InlineData("lower")]
    [InlineData("A=B")]
    [InlineData("A\nB")]
    [InlineData("Ä")]
    [InlineData("A2345678901234567890123456789012345678901234567890123456789012345")]
    public void A_name_that_journald_would_ignore_is_rejected(string name)
    {
        Assert.False(JournalRecord.IsName(name));
        JournalRecord record = new();
        ArgumentException error = Assert.Throws<ArgumentException>(() => record.Add(name, "x"));
        Assert.Equal($"Invalid journal field name '{name}': must be 1 to 64 of A-Z, 0-9 and _, starting with a letter. (Parameter 'name')", error.Message);
        Assert.True(record.Bytes.IsEmpty);
    }

    [Theory]
    [InlineData("ConfigFile", "CONFIG_FILE")]
    [InlineData("Line", "LINE")]
    [InlineData("TLSCertFile", "TLS_CERT_FILE")]
    [InlineData("Pid2Name", "PID2_NAME")]
    [InlineData("CODE_FILE", "CODE_FILE")]
    [InlineData("code-file", "CODE_FILE")]
    [InlineData("a.B", "A_B")]
    [InlineData("_PID", "PID")]
    [InlineData("0", "FIELD_0")]
    [InlineData("", "FIELD_")]
    [InlineData("größe", "GR_E")]
    public void A_property_name_becomes_a_field_name(string property, string name) => Assert.Equal(name, JournalRecord.NameOf(property));

    [Fact]
    public void The_field_name_of_any_property_name_is_valid() =>
        Prop.ForAll<string>(name => JournalRecord.IsName(JournalRecord.NameOf(name ?? ""))).QuickCheckThrowOnFailure();

    [Fact]
    public void Any_fields_are_read_back_by_a_parser_of_the_protocol() =>
        Prop.ForAll<byte[][]>(values =>
        {
            JournalRecord record = new();
            foreach (byte[] value in values)
                record.Add("F", value);
            Assert.Equal(values, Parse(record.Bytes).Select(field => field.Value));
        }).QuickCheckThrowOnFailure();

    /// <summary>Parses the protocol as its documentation describes it.</summary>
    internal static List<(string Name, byte[] Value)> Parse(ReadOnlySpan<byte> bytes)
    {
        List<(string, byte[])> fields = new();
        while (!bytes.IsEmpty)
        {
            int end = bytes.IndexOf((byte)'\n');
            int equals = bytes[..end].IndexOf((byte)'=');
            if (equals >= 0)
            {
                fields.Add((Encoding.ASCII.GetString(bytes[..equals]), bytes[(equals + 1)..end].ToArray()));
                bytes = bytes[(end + 1)..];
                continue;
            }
            int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes[(end + 1)..]);
            fields.Add((Encoding.ASCII.GetString(bytes[..end]), bytes.Slice(end + 9, length).ToArray()));
            Assert.Equal((byte)'\n', bytes[end + 9 + length]);
            bytes = bytes[(end + 10 + length)..];
        }
        return fields;
    }

    private static string Text(JournalRecord record) => Encoding.UTF8.GetString(record.Bytes);
}
