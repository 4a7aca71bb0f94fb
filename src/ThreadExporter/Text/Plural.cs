using System.Globalization;

namespace ThreadExporter.Text;

/// <summary>Counts with singular and plural.</summary>
internal static class Plural
{
    /// <summary><c>1 process</c>, <c>2 processes</c>.</summary>
    public static string Count(long n, string one, string many) => string.Create(CultureInfo.InvariantCulture, $"{n} {Word(n, one, many)}");

    /// <summary>The word alone.</summary>
    public static string Word(long n, string one, string many) => n == 1 ? one : many;
}
