using System.Collections.Immutable;
using System.Globalization;
using ThreadExporter.Linux;
using ThreadExporter.Text;
using ThreadExporter.Toml;

namespace ThreadExporter.Configuration;

/// <summary>The <c>[[filter]]</c> tables.</summary>
internal static class FilterReader
{
    private static readonly ImmutableArray<string> MatchKeys = ["match", "comm", "cmdline", "exe", "user", "unit", "cgroup", "pid", "pidfile"];

    public static ImmutableArray<FilterConfig> Read(TomlTable root, string file, List<ConfigError> errors)
    {
        if (!root.TryGet("filter", out TomlEntry? entry))
            return [];
        if (entry.Value is not TomlArray array || array.Items.Any(item => item is not TomlTable))
        {
            errors.Add(new(file, entry.KeyPosition, "filter", $"filter must be an array of tables, not {entry.Value.TypeName}: write [[filter]]"));
            return [];
        }
        ImmutableArray<FilterConfig>.Builder filters = ImmutableArray.CreateBuilder<FilterConfig>();
        Dictionary<string, TomlPosition> names = new(StringComparer.Ordinal);
        foreach (TomlTable table in array.Items.Cast<TomlTable>())
        {
            TableReader reader = new(table, "filter", file, errors);
            FilterConfig filter = Read(reader, table);
            reader.Finish();
            filters.Add(filter);
            TomlPosition position = reader.PositionOf("name");
            if (filter.Name.Length > 0 && !names.TryAdd(filter.Name, position))
            {
                TomlPosition first = names[filter.Name];
                string advice = reader.Has("name") ? "names must be unique" : "set a unique name (key name)";
                errors.Add(new(file, position, "filter.name", FormattableString.Invariant(
                    $"the name {Printable.Quote(filter.Name)} is already used by the filter at line {first.Line}: {advice}")));
            }
        }
        return filters.ToImmutable();
    }

    private static FilterConfig Read(TableReader reader, TomlTable table)
    {
        if (!MatchKeys.Any(reader.Has))
        {
            reader.Error(table.Position, "filter", "this filter matches nothing: set at least one of " + string.Join(", ", MatchKeys));
        }
        ImmutableArray<string> names = [];
        ImmutableArray<int> pids = [];
        reader.String("match", "", text => MatchList.Parse(text, out names, out pids));
        TableReader threads = reader.Table("threads");
        bool group = reader.Boolean("group", false);
        FilterConfig filter = new()
        {
            Name = reader.String("name", DefaultName(table), text => text.Trim().Length == 0 ? "must not be empty: leave the key out" : null),
            MatchNames = names,
            MatchPids = pids,
            Comm = reader.Globs("comm", []),
            Cmdline = reader.Expression("cmdline"),
            Exe = reader.PathGlobs("exe"),
            User = reader.OneOrMore<string>("user", [], "a name or uid", "names and uids", ToUser),
            Unit = reader.Globs("unit", [], hasUnitEscapes: true),
            Cgroup = reader.PathGlobs("cgroup"),
            Pid = reader.Integers("pid", 1, MatchList.MaxPid),
            PidFile = reader.Has("pidfile") ? reader.String("pidfile", "", GetPidFileError) : null,
            Group = group,
            Children = reader.Boolean("children", false),
            Daemon = reader.Expression("daemon", "needs a capture group, as in '--id (\\S+)': its text becomes the label `daemon`"),
            Labels = [.. FilterConfig.LabelNames.Intersect(reader.Strings("labels", [], GetLabelError, mayBeEmpty: true))],
            Threads = ReadThreads(threads, group),
        };
        threads.Finish();
        return filter;
    }

    // A longer path would be accepted here and never read.
    private static string? GetPidFileError(string path) => ConfigText.GetPathError(path) ?? ConfigText.GetLengthError(path, RawFile.MaxPathLength);

    private static string? GetLabelError(string text) =>
        FilterConfig.LabelNames.Contains(text) ? null : TableReader.InvalidChoice(text, FilterConfig.LabelNames);

    private static ThreadsConfig ReadThreads(TableReader reader, bool group)
    {
        ThreadsConfig defaults = group ? new() { Detail = ThreadDetail.Name } : new();
        ThreadDetail detail = reader.Choice("detail", defaults.Detail, [("tid", ThreadDetail.Tid), ("name", ThreadDetail.Name), ("none", ThreadDetail.None)]);
        if (group && detail == ThreadDetail.Tid && reader.Has("detail"))
            reader.Error(reader.PositionOf("detail"), "filter.threads.detail", "detail = \"tid\" is not possible with group = true: use \"name\" or \"none\"");
        return new()
        {
            Detail = detail,
            FoldDigits = reader.Boolean("fold_digits", defaults.FoldDigits),
            Include = reader.Globs("include", defaults.Include),
            Exclude = reader.Globs("exclude", defaults.Exclude, mayBeEmpty: true),
            Top = reader.Integer("top", defaults.Top, 0, 1_000_000),
        };
    }

    // (uid_t)-1 means "no user" to the kernel (setreuid(2)).
    private static Converted<string>? ToUser(TomlNode node) => node switch
    {
        TomlString { Value.Length: 0 } => new("", "must not contain an empty string"),
        TomlString text => new(text.Value),
        TomlInteger { Value: >= 0 and < uint.MaxValue } uid => new(uid.Value.ToString(CultureInfo.InvariantCulture)),
        TomlInteger => new("", FormattableString.Invariant($"must be from 0 to {uint.MaxValue - 1}")),
        _ => null,
    };

    /// <summary>The short form, else the keys that match, in the order of the file: <c>comm=ceph-* user=ceph</c>.</summary>
    private static string DefaultName(TomlTable table)
    {
        if (table.TryGet("match", out TomlEntry? match) && match.Value is TomlString text)
            return text.Value.Trim();
        return string.Join(' ', table.Entries.Where(e => MatchKeys.Contains(e.Key)).Select(e => $"{e.Key}={Render(e.Value)}"));
    }

    private static string Render(TomlNode node) => node switch
    {
        TomlString text => text.Value,
        TomlInteger integer => integer.Value.ToString(CultureInfo.InvariantCulture),
        TomlArray array => string.Join(',', array.Items.Select(Render)),
        // The wrong type, which is reported separately.
        _ => "",
    };
}
