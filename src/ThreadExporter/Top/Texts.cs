using System.Globalization;

namespace ThreadExporter.Top;

/// <summary>Figures as the hot page writes them.</summary>
internal static class Texts
{
    /// <summary>A share of a core.</summary>
    /// <param name="ratio">1: a whole core; null: not known.</param>
    public static string Percent(double? ratio) => ratio is not { } share ? "-"
        : share >= 0.0995 ? string.Create(CultureInfo.InvariantCulture, $"{share * 100:0} %") : string.Create(CultureInfo.InvariantCulture, $"{share * 100:0.0} %");

    /// <summary>The same of a time in a window, both in seconds.</summary>
    public static string Percent(decimal time, decimal window) => Percent(window > 0 ? (double)(time / window) : null);

    /// <summary>A column of numbers with one decimal.</summary>
    public static string Tenths(double? ratio) => ratio is { } share ? string.Create(CultureInfo.InvariantCulture, $"{share * 100:0.0}") : "-";

    /// <summary>A column of whole numbers.</summary>
    public static string Whole(double? ratio) => ratio is { } share ? string.Create(CultureInfo.InvariantCulture, $"{share * 100:0}") : "-";

    /// <summary>Seconds.</summary>
    public static string Seconds(decimal? seconds) => seconds is not { } time ? "-"
        : time is > 0 and < 10 ? string.Create(CultureInfo.InvariantCulture, $"{time:0.0} s") : string.Create(CultureInfo.InvariantCulture, $"{time:0} s");

    public static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>A history as one character per point, the newest at the right.</summary>
    /// <param name="history">Thousandths of a core, oldest first.</param>
    /// <param name="width">Characters.</param>
    /// <param name="isUtf8">False: only ASCII.</param>
    public static string Spark(ushort[] history, int width, bool isUtf8)
    {
        string steps = isUtf8 ? " ▁▂▃▄▅▆▇█" : " .:-=+*#@";
        const int WholeCore = 1000;
        char[] spark = new char[width];
        Array.Fill(spark, ' ');
        for (int i = 1; i <= Math.Min(width, history.Length); i++)
        {
            int share = Math.Min((int)history[^i], WholeCore);
            // Rounded up, so that a thread that ran is never shown as idle.
            spark[^i] = steps[(share * (steps.Length - 1) + WholeCore - 1) / WholeCore];
        }
        return new string(spark);
    }
}
