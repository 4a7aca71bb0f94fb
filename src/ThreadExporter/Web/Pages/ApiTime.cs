using System.Globalization;

namespace ThreadExporter.Web.Pages;

/// <summary>Times of the API, in milliseconds since 1970: RFC 3339 with an offset, or seconds since 1970.</summary>
internal static class ApiTime
{
    /// <summary>What a parameter must be, for errors.</summary>
    public const string Expected = "must be a time such as 2026-11-27T02:13:00Z or 2026-11-27T03:13:00+01:00, or seconds since 1970";

    private static readonly string[] Formats = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    public static string Text(long milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).ToString("yyyy-MM-dd'T'HH:mm:ss.FFF'Z'", CultureInfo.InvariantCulture);

    public static bool TryParse(string? text, out long milliseconds)
    {
        milliseconds = 0;
        if (string.IsNullOrEmpty(text) || text.Length > 40)
            return false;
        // The last moment of the year 9999.
        const decimal Last = 253_402_300_799;
        if (decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal seconds))
        {
            milliseconds = seconds <= Last ? (long)(seconds * 1000) : 0;
            return seconds <= Last;
        }
        // A plus sign that was not escaped in a query is a blank.
        text = text.Replace(' ', '+').ToUpperInvariant();
        bool hasOffset = text.EndsWith('Z') || (text.Length > 6 && text[^6] is '+' or '-' && text[^3] == ':');
        if (!hasOffset || !DateTimeOffset.TryParseExact(text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTimeOffset time))
            return false;
        milliseconds = time.ToUnixTimeMilliseconds();
        return true;
    }
}
