using Tomlyn.Syntax;

namespace ThreadExporter.Toml;

/// <summary>Converts a valid syntax tree into tables, by the rules of TOML 1.0 about duplicate definitions.</summary>
internal sealed class TomlBuilder
{
    private readonly List<TomlError> _errors = [];

    internal IReadOnlyList<TomlError> Errors => _errors;

    internal TomlTable Build(DocumentSyntax document)
    {
        TomlTable root = new(new TomlPosition(1, 1)) { Origin = TomlTableOrigin.Header };
        AddKeyValues(document.KeyValues, root, depth: 0);
        foreach (TableSyntaxBase header in document.Tables)
        {
            int depth = 1 + header.Name!.DotKeys.ChildrenCount;
            if (depth > TomlDepth.Max)
                _errors.Add(new(TomlPosition.Of(header.Name), TomlDepth.Message));
            // A section with an invalid header is read into a separate table, so that its other errors are found too.
            else if (Section(root, header) is { } table)
                AddKeyValues(header.Items, table, depth);
            else
                AddKeyValues(header.Items, new TomlTable(TomlPosition.Of(header.Name)), depth);
        }
        return root;
    }

    private TomlTable? Section(TomlTable root, TableSyntaxBase header)
    {
        bool isArray = header is TableArraySyntax;
        List<(string Key, TomlPosition Position)> keys = Keys(header.Name!);
        TomlTable parent = root;
        foreach ((string key, TomlPosition position) in keys[..^1])
        {
            if (!parent.TryGet(key, out TomlEntry? step))
                parent = AddTable(parent, key, position, TomlTableOrigin.Implicit);
            else if (step.Value is TomlTable { Origin: not TomlTableOrigin.Inline } table)
                parent = table;
            else if (step.Value is TomlArray { IsOfTables: true } tables)
                parent = (TomlTable)tables.Items[^1];
            else
                return Duplicate(key, position, step);
        }

        (string name, TomlPosition at) = keys[^1];
        if (!parent.TryGet(name, out TomlEntry? entry))
        {
            if (!isArray)
                return AddTable(parent, name, at, TomlTableOrigin.Header);
            TomlArray tables = new(at) { IsOfTables = true };
            parent.Add(new TomlEntry(name, at, tables));
            return Append(tables, at);
        }
        switch (entry.Value)
        {
            case TomlArray { IsOfTables: true } tables when isArray:
                return Append(tables, at);
            case TomlTable { Origin: TomlTableOrigin.Implicit } table when !isArray:
                table.Origin = TomlTableOrigin.Header;
                return table;
            default:
                return Duplicate(name, at, entry);
        }
    }

    private static TomlTable AddTable(TomlTable parent, string key, TomlPosition position, TomlTableOrigin origin)
    {
        TomlTable table = new(position) { Origin = origin };
        parent.Add(new TomlEntry(key, position, table));
        return table;
    }

    private static TomlTable Append(TomlArray tables, TomlPosition position)
    {
        TomlTable table = new(position) { Origin = TomlTableOrigin.Header };
        tables.Add(table);
        return table;
    }

    private TomlTable? Duplicate(string key, TomlPosition position, TomlEntry earlier)
    {
        TomlPosition at = earlier.KeyPosition;
        string name = key.Length > 80 ? key[..80] : key;
        _errors.Add(new(position, FormattableString.Invariant($"the key `{name}` is already defined at {at.Line}:{at.Column}")));
        return null;
    }

    private void AddKeyValues(IEnumerable<KeyValueSyntax> items, TomlTable table, int depth)
    {
        foreach (KeyValueSyntax item in items)
            AddKeyValue(item, table, depth);
    }

    private void AddKeyValue(KeyValueSyntax item, TomlTable table, int depth)
    {
        depth += item.Key!.DotKeys.ChildrenCount;
        if (depth > TomlDepth.Max)
        {
            _errors.Add(new(TomlPosition.Of(item.Key), TomlDepth.Message));
            return;
        }
        List<(string Key, TomlPosition Position)> keys = Keys(item.Key);
        foreach ((string key, TomlPosition position) in keys[..^1])
        {
            if (!table.TryGet(key, out TomlEntry? step))
            {
                table = AddTable(table, key, position, TomlTableOrigin.DottedKey);
            }
            else if (step.Value is TomlTable { Origin: TomlTableOrigin.DottedKey } dotted)
            {
                table = dotted;
            }
            else
            {
                Duplicate(key, position, step);
                return;
            }
        }
        (string name, TomlPosition at) = keys[^1];
        TomlNode value = Value(item.Value!, depth);
        if (table.TryGet(name, out TomlEntry? earlier))
            Duplicate(name, at, earlier);
        else
            table.Add(new TomlEntry(name, at, value));
    }

    private List<(string Key, TomlPosition Position)> Keys(KeySyntax syntax)
    {
        List<(string, TomlPosition)> keys = new(1 + syntax.DotKeys.ChildrenCount) { Key(syntax.Key!) };
        foreach (DottedKeyItemSyntax item in syntax.DotKeys)
            keys.Add(Key(item.Key!));
        return keys;
    }

    private (string, TomlPosition) Key(BareKeyOrStringValueSyntax syntax)
    {
        if (syntax is BareKeySyntax bare)
            return (bare.Key!.Text!, TomlPosition.Of(bare));
        StringValueSyntax quoted = (StringValueSyntax)syntax;
        Toml10Validator.CheckString(quoted, _errors);
        return (quoted.Value!, TomlPosition.Of(quoted));
    }

    // Recursion is safe: Tomlyn rejects brackets beyond TomlDepth.Max before this runs.
    private TomlNode Value(ValueSyntax syntax, int depth)
    {
        TomlPosition position = TomlPosition.Of(syntax);
        switch (syntax)
        {
            case StringValueSyntax text:
                Toml10Validator.CheckString(text, _errors);
                return new TomlString(position, text.Value!);
            case IntegerValueSyntax integer:
                return new TomlInteger(position, integer.Value);
            case FloatValueSyntax number:
                return new TomlFloat(position, number.Value);
            case BooleanValueSyntax boolean:
                return new TomlBoolean(position, boolean.Value);
            case DateTimeValueSyntax time:
                Toml10Validator.CheckTime(time, _errors);
                return DateTime(position, time);
            case ArraySyntax array:
                return Array(position, array, depth + 1);
            default:
                return InlineTable(position, (InlineTableSyntax)syntax, depth + 1);
        }
    }

    private TomlArray Array(TomlPosition position, ArraySyntax syntax, int depth)
    {
        TomlArray array = new(position);
        if (IsTooDeep(position, depth))
            return array;
        foreach (ArrayItemSyntax item in syntax.Items)
            array.Add(Value(item.Value!, depth));
        return array;
    }

    private TomlTable InlineTable(TomlPosition position, InlineTableSyntax syntax, int depth)
    {
        Toml10Validator.CheckInlineTable(syntax, _errors);
        TomlTable table = new(position) { Origin = TomlTableOrigin.Inline };
        if (IsTooDeep(position, depth))
            return table;
        foreach (InlineTableItemSyntax item in syntax.Items)
            AddKeyValue(item.KeyValue!, table, depth);
        return table;
    }

    private bool IsTooDeep(TomlPosition position, int depth)
    {
        if (depth <= TomlDepth.Max)
            return false;
        _errors.Add(new(position, TomlDepth.Message));
        return true;
    }

    private static TomlDateTime DateTime(TomlPosition position, DateTimeValueSyntax syntax)
    {
        DateTimeOffset value = syntax.Value.DateTime;
        return syntax.Kind switch
        {
            SyntaxKind.LocalDateTime => new(position, TomlDateTimeKind.LocalDateTime, value),
            SyntaxKind.LocalDate => new(position, TomlDateTimeKind.LocalDate, value),
            // Tomlyn adds the current date to a local time.
            SyntaxKind.LocalTime => new(position, TomlDateTimeKind.LocalTime, new DateTimeOffset(value.TimeOfDay.Ticks, TimeSpan.Zero)),
            _ => new(position, TomlDateTimeKind.OffsetDateTime, value),
        };
    }
}
