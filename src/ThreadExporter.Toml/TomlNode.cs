using System.Collections.ObjectModel;
using System.Diagnostics.CodeAnalysis;

namespace ThreadExporter.Toml;

/// <summary>A value of a TOML text, with the position where it starts.</summary>
public abstract record TomlNode(TomlPosition Position)
{
    /// <summary>The value's type as TOML 1.0 names it, with its article: <c>a string</c>, <c>an integer</c>.</summary>
    public abstract string TypeName { get; }
}

public sealed record TomlString(TomlPosition Position, string Value) : TomlNode(Position)
{
    public override string TypeName => "a string";
}

public sealed record TomlInteger(TomlPosition Position, long Value) : TomlNode(Position)
{
    public override string TypeName => "an integer";
}

public sealed record TomlFloat(TomlPosition Position, double Value) : TomlNode(Position)
{
    public override string TypeName => "a float";
}

public sealed record TomlBoolean(TomlPosition Position, bool Value) : TomlNode(Position)
{
    public override string TypeName => "a boolean";
}

/// <summary>The four kinds of TOML 1.0, "Offset Date-Time" to "Local Time".</summary>
public enum TomlDateTimeKind
{
    OffsetDateTime,
    LocalDateTime,
    LocalDate,
    LocalTime,
}

/// <param name="Position">Where it starts.</param>
/// <param name="Kind">Which parts of <paramref name="Value"/> are used.</param>
/// <param name="Value">
/// Offset zero unless the kind has one; the date of a local time is 0001-01-01, the time of a local date is midnight. Up to 7 fractional digits of
/// a second.
/// </param>
public sealed record TomlDateTime(TomlPosition Position, TomlDateTimeKind Kind, DateTimeOffset Value) : TomlNode(Position)
{
    public override string TypeName => Kind switch
    {
        TomlDateTimeKind.LocalDate => "a date",
        TomlDateTimeKind.LocalTime => "a time",
        _ => "a date-time",
    };
}

/// <summary>An array, written as <c>[1, 2]</c> or as an array of tables (<c>[[name]]</c>).</summary>
public sealed record TomlArray(TomlPosition Position) : TomlNode(Position)
{
    private readonly List<TomlNode> _items = [];

    public ReadOnlyCollection<TomlNode> Items => _items.AsReadOnly();

    /// <summary>Written as <c>[[name]]</c>: later headers may append to it.</summary>
    internal bool IsOfTables { get; init; }

    public override string TypeName => IsOfTables ? "an array of tables" : "an array";

    internal void Add(TomlNode item) => _items.Add(item);
}

/// <summary>One key of a table.</summary>
public sealed record TomlEntry(string Key, TomlPosition KeyPosition, TomlNode Value);

/// <summary>A table, with its entries in the order of the text.</summary>
public sealed record TomlTable(TomlPosition Position) : TomlNode(Position)
{
    private readonly List<TomlEntry> _entries = [];
    private readonly Dictionary<string, TomlEntry> _byKey = new(StringComparer.Ordinal);

    public ReadOnlyCollection<TomlEntry> Entries => _entries.AsReadOnly();

    /// <summary>How the table was defined, which decides whether entries may still be added.</summary>
    internal TomlTableOrigin Origin { get; set; }

    public override string TypeName => "a table";

    public bool TryGet(string key, [NotNullWhen(true)] out TomlEntry? entry) => _byKey.TryGetValue(key, out entry);

    internal void Add(TomlEntry entry)
    {
        _byKey.Add(entry.Key, entry);
        _entries.Add(entry);
    }
}

internal enum TomlTableOrigin
{
    /// <summary>A parent in a header; its own header may follow.</summary>
    Implicit,
    /// <summary>Has its own header, or is the root.</summary>
    Header,
    /// <summary>Created by a dotted key; only dotted keys of the same section may add to it.</summary>
    DottedKey,
    /// <summary><c>{ … }</c>: nothing may be added.</summary>
    Inline,
}
