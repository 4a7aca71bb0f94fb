using System.Collections.Immutable;
using System.Globalization;
using ThreadExporter.Text;

namespace ThreadExporter.Configuration;

/// <summary>The short form of a filter: names and pids, comma-separated.</summary>
internal static class MatchList
{
    /// <summary>PID_MAX_LIMIT of a 64-bit kernel (include/linux/threads.h).</summary>
    public const int MaxPid = 4 * 1024 * 1024;

    /// <summary>Null, or what is wrong.</summary>
    public static string? Parse(string list, out ImmutableArray<string> names, out ImmutableArray<int> pids)
    {
        string[] entries = list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        List<string> numbers = entries.Where(IsNumber).ToList();
        names = [.. entries.Except(numbers)];
        pids = [];
        if (entries.Length == 0)
            return "must contain names or pids, comma-separated";
        // Checked on the whole list: the commas between braces split a glob.
        if ((GlobParser.GetBraceError(list) ?? names.Select(n => GlobParser.GetError(n)).FirstOrDefault(f => f is not null)) is { } error)
            return error;
        HashSet<int> found = new();
        foreach (string number in numbers)
        {
            if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int pid) || pid is < 1 or > MaxPid)
                return FormattableString.Invariant($"{Printable.Quote(number)} is not a valid pid (1-{MaxPid})");
            found.Add(pid);
        }
        pids = [.. found];
        return null;
    }

    private static bool IsNumber(string entry) => entry.All(char.IsAsciiDigit);
}
