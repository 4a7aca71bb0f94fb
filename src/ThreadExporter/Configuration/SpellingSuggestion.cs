namespace ThreadExporter.Configuration;

/// <summary>"Did you mean": the most similar known name, when it is similar enough for a typing error.</summary>
internal static class SpellingSuggestion
{
    /// <summary><c>: did you mean "x"?</c>, or nothing.</summary>
    public static string Hint(string found, IEnumerable<string> known)
    {
        // Two edits turn most words of three letters into another one.
        string? nearest = known.Select(name => (Name: name, Distance: Distance(found, name)))
            .Where(n => n.Distance <= (Math.Min(found.Length, n.Name.Length) <= 3 ? 1 : 2))
            .OrderBy(n => n.Distance).FirstOrDefault().Name;
        return nearest is null ? "" : $": did you mean \"{nearest}\"?";
    }

    /// <summary>Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment), case ignored.</summary>
    public static int Distance(string a, string b)
    {
        // Not similar, whatever the letters are. A hostile name of a mebibyte must not allocate a matrix.
        if (Math.Abs(a.Length - b.Length) > 2)
            return int.MaxValue;
        int[,] cost = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    cost[i, j] = i + j;
                    continue;
                }
                int differ = Same(a[i - 1], b[j - 1]) ? 0 : 1;
                cost[i, j] = Math.Min(Math.Min(cost[i - 1, j], cost[i, j - 1]) + 1, cost[i - 1, j - 1] + differ);
                if (i > 1 && j > 1 && Same(a[i - 1], b[j - 2]) && Same(a[i - 2], b[j - 1]))
                    cost[i, j] = Math.Min(cost[i, j], cost[i - 2, j - 2] + 1);
            }
        }
        return cost[a.Length, b.Length];
    }

    private static bool Same(char a, char b) => char.ToLowerInvariant(a) == char.ToLowerInvariant(b);
}
