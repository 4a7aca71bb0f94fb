namespace ThreadExporter.Commands;

/// <summary>Columns of plain text, two blanks apart.</summary>
internal static class TextTable
{
    /// <summary>The rows as lines, without blanks at their ends. Every row has as many cells as the first.</summary>
    public static string[] Lines(IReadOnlyList<string[]> rows)
    {
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(i => rows.Max(r => r[i].Length))];
        return [.. rows.Select(row => string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd())];
    }

    public static void Print(IReadOnlyList<string[]> rows)
    {
        foreach (string line in Lines(rows))
            Console.Out.WriteLine(line);
    }
}
