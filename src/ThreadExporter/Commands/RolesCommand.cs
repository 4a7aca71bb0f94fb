using System.Collections.Immutable;
using ThreadExporter.Configuration;
using ThreadExporter.Matching;
using ThreadExporter.Roles;
using ThreadExporter.Text;

namespace ThreadExporter.Commands;

/// <summary><c>thread-exporter roles [NAME]</c>: prints what known threads are for (docs/roles.md).</summary>
internal static class RolesCommand
{
    /// <summary>A column for lists of patterns; a longer list is cut, and complete only for a NAME.</summary>
    private const int WidestList = 40;

    /// <param name="name">A name or a glob, which the caller has checked; null: all roles.</param>
    public static int Run(string? name)
    {
        RoleCatalog catalog = RoleCatalog.Load(RoleFolders.Default);
        foreach (ConfigError error in catalog.Errors)
            Console.Error.WriteLine(error);
        Role[] roles = name is null ? [.. catalog.Roles] : [.. catalog.Search(new Glob(name))];
        if (roles.Length > 0)
            Print(roles, withTexts: name is not null);
        else
            Console.Error.WriteLine(name is null ? "thread-exporter: there are no role files" : $"thread-exporter: no role is known for {Printable.Quote(name)}");
        return !catalog.Errors.IsEmpty ? ExitCode.BadConfig : roles.Length > 0 ? ExitCode.Success : ExitCode.Failure;
    }

    private static void Print(Role[] roles, bool withTexts)
    {
        List<string[]> rows = [["PROCESS", "THREAD", "ROLE"]];
        rows.AddRange(roles.Select(r => (string[])[Process(r, withTexts), Patterns(r.Thread, withTexts), r.Name]));
        string[] lines = TextTable.Lines(rows);
        Console.Out.WriteLine(lines[0]);
        for (int i = 0; i < roles.Length; i++)
        {
            Console.Out.WriteLine(lines[i + 1]);
            if (!withTexts)
                continue;
            Console.Out.WriteLine($"    {roles[i].Text}");
            if (roles[i].Source is { } source)
                Console.Out.WriteLine($"    {source}");
        }
    }

    private static string Process(Role role, bool whole) => role.Process.IsEmpty ? "(kernel)" : Patterns(role.Process, whole);

    private static string Patterns(ImmutableArray<string> patterns, bool whole)
    {
        string list = patterns[0];
        for (int i = 1; i < patterns.Length; i++)
        {
            if (!whole && list.Length + patterns[i].Length > WidestList)
                return Printable.Of(list + ", …");
            list += ", " + patterns[i];
        }
        return Printable.Of(list);
    }
}
