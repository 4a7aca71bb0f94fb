using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace ThreadExporter.Systemd;

/// <summary>The levels of syslog(3), as the journal's field PRIORITY holds them.</summary>
public enum JournalPriority
{
    Emergency = 0,
    Alert = 1,
    Critical = 2,
    Error = 3,
    Warning = 4,
    Notice = 5,
    Info = 6,
    Debug = 7,
}

/// <summary>
/// One journal entry in the serialization of the journal's native protocol. Reusable after <see cref="Clear"/>; not thread-safe.
/// Source: https://systemd.io/JOURNAL_NATIVE_PROTOCOL/ and systemd.journal-fields(7).
/// </summary>
public sealed class JournalRecord
{
    /// <summary>journald ignores a field whose name is longer.</summary>
    public const int MaxNameLength = 64;

    private readonly ArrayBufferWriter<byte> _bytes = new(1024);

    /// <summary>The entry as it is sent over the socket.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.WrittenSpan;

    public void Clear() => _bytes.ResetWrittenCount();

    /// <summary>Adds PRIORITY.</summary>
    public void Add(JournalPriority priority) => Add("PRIORITY", [(byte)('0' + (int)priority)]);

    /// <summary>Adds a field in UTF-8. A lone surrogate becomes U+FFFD.</summary>
    /// <exception cref="ArgumentException">journald would ignore the name: see <see cref="IsName"/>.</exception>
    public void Add(string name, ReadOnlySpan<char> value)
    {
        byte[] rented = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(value.Length));
        Add(name, rented.AsSpan(0, Encoding.UTF8.GetBytes(value, rented)));
        ArrayPool<byte>.Shared.Return(rented);
    }

    /// <summary>Adds a field of arbitrary bytes.</summary>
    /// <exception cref="ArgumentException">journald would ignore the name: see <see cref="IsName"/>.</exception>
    public void Add(string name, ReadOnlySpan<byte> value)
    {
        if (!IsName(name))
        {
            throw new ArgumentException(
                $"Invalid journal field name '{name}': must be 1 to {MaxNameLength} of A-Z, 0-9 and _, starting with a letter.", nameof(name));
        }
        bool plain = !value.ContainsAnyInRange((byte)0, (byte)0x1F);
        Span<byte> target = _bytes.GetSpan(name.Length + 1 + sizeof(ulong) + value.Length + 1);
        int n = Encoding.ASCII.GetBytes(name, target);
        // Text form NAME=value, or NAME, newline, the length (64 bits, little endian) and the raw bytes.
        target[n++] = plain ? (byte)'=' : (byte)'\n';
        if (!plain)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(target[n..], (ulong)value.Length);
            n += sizeof(ulong);
        }
        value.CopyTo(target[n..]);
        n += value.Length;
        target[n++] = (byte)'\n';
        _bytes.Advance(n);
    }

    /// <summary>Whether journald accepts the name from a client: A-Z, 0-9 and _, starting with a letter, at most 64 characters.</summary>
    public static bool IsName(ReadOnlySpan<char> name) =>
        name.Length is > 0 and <= MaxNameLength && char.IsAsciiLetterUpper(name[0])
        && !name.ContainsAnyExcept(NameCharacters);

    /// <summary>The field name for a property name: <c>ConfigFile</c> becomes <c>CONFIG_FILE</c>. It is always valid.</summary>
    public static string NameOf(string property)
    {
        ArgumentNullException.ThrowIfNull(property);
        StringBuilder name = new(property.Length + 8);
        for (int i = 0; i < property.Length && name.Length < MaxNameLength; i++)
        {
            char c = property[i];
            bool upper = char.IsAsciiLetterUpper(c);
            // A new word: aB, 1B, or the B of ABc.
            if (upper && i > 0 && name.Length > 0 && name[^1] != '_'
                && (!char.IsAsciiLetterUpper(property[i - 1]) || (i + 1 < property.Length && char.IsAsciiLetterLower(property[i + 1]))))
                name.Append('_');
            if (char.IsAsciiLetterOrDigit(c))
                name.Append(char.ToUpperInvariant(c));
            else if (name.Length > 0 && name[^1] != '_')
                name.Append('_');
        }
        if (name.Length == 0 || !char.IsAsciiLetterUpper(name[0]))
            name.Insert(0, "FIELD_");
        if (name.Length > MaxNameLength)
            name.Length = MaxNameLength;
        return name.ToString();
    }

    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
}
