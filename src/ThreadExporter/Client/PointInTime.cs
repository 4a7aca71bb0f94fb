using System.Globalization;
using ThreadExporter.Text;

namespace ThreadExporter.Client;

/// <summary>A time as a person writes it on the command line.</summary>
internal static class PointInTime
{
    private const string Expected = "expected 02:13, 2026-11-26T02:13:00+01:00 or Unix seconds";

    private static readonly string[] WithOffset = ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd' 'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK"];
    private static readonly string[] WithoutOffset = ["yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd' 'HH:mm:ss", "yyyy-MM-dd' 'HH:mm"];
    private static readonly string[] TimeOfDay = ["HH:mm", "HH:mm:ss", "H:mm", "H:mm:ss"];

    /// <summary>Reads RFC 3339, Unix seconds, a local date and time, or a time of day: the last one that has been, in the local time zone.</summary>
    /// <param name="text">As written.</param>
    /// <param name="time">The clock and the time zone.</param>
    /// <param name="point">The point in time, with the offset that it was written with; else the local one.</param>
    /// <returns>Null, or what is wrong.</returns>
    public static string? Parse(string text, TimeProvider time, out DateTimeOffset point)
    {
        DateTimeOffset now = time.GetUtcNow();
        TimeZoneInfo zone = time.LocalTimeZone;
        point = default;
        DateTimeOffset? found;
        if (TimeOnly.TryParseExact(text, TimeOfDay, CultureInfo.InvariantCulture, DateTimeStyles.None, out TimeOnly ofDay))
            found = LastBefore(now, ofDay, zone);
        else if (DateTime.TryParseExact(text, WithoutOffset, CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime local))
            found = AtLocal(local, zone, now);
        else if (HasOffset(text) && DateTimeOffset.TryParseExact(text.ToUpperInvariant(), WithOffset, CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTimeOffset exact))
            found = exact;
        else if (decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal seconds) && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds())
            found = TimeZoneInfo.ConvertTime(DateTimeOffset.UnixEpoch.AddTicks((long)(seconds * TimeSpan.TicksPerSecond)), zone);
        else
            return $"{Printable.Quote(text)} is not a time: {Expected}";
        if (found is null)
            return $"{Printable.Quote(text)} does not exist in the time zone {zone.Id}: clocks were set forward; write it with an offset, such as 2026-11-26T02:13:00+01:00";
        point = found.Value;
        return point > now ? $"{Show(point)} is in the future" : null;
    }

    /// <summary>With its offset, to the second: <c>2026-11-26 02:13:00 +01:00</c>.</summary>
    public static string Show(DateTimeOffset point) => point.ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);

    /// <summary>For the API, in UTC and to the millisecond: a URL has no plus sign to escape then.</summary>
    public static string ForApi(DateTimeOffset point) => point.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    // RFC 3339 requires it; without one, .NET would take the time as local.
    private static bool HasOffset(string text) => text.EndsWith('Z') || text.EndsWith('z') || (text.Length > 6 && text[^6] is '+' or '-' && text[^3] == ':');

    private static DateTimeOffset? LastBefore(DateTimeOffset now, TimeOnly ofDay, TimeZoneInfo zone)
    {
        DateOnly today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, zone).DateTime);
        // On the day on which clocks are set forward, a time may not exist.
        for (int back = 0; back <= 2; back++)
        {
            if (AtLocal(today.AddDays(-back).ToDateTime(ofDay), zone, now) is { } point && point <= now)
                return point;
        }
        return null;
    }

    /// <summary>A local time, which exists twice when clocks are set back: then the last one that has been. Null: it does not exist.</summary>
    private static DateTimeOffset? AtLocal(DateTime local, TimeZoneInfo zone, DateTimeOffset now)
    {
        if (zone.IsInvalidTime(local))
            return null;
        if (!zone.IsAmbiguousTime(local))
            return new DateTimeOffset(local, zone.GetUtcOffset(local));
        // The larger offset is the earlier point.
        DateTimeOffset[] points = [.. zone.GetAmbiguousTimeOffsets(local).OrderDescending().Select(offset => new DateTimeOffset(local, offset))];
        return points[^1] <= now ? points[^1] : points[0];
    }
}
