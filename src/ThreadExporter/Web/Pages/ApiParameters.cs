using System.Globalization;
using Microsoft.Extensions.Primitives;
using ThreadExporter.HotThreads;

namespace ThreadExporter.Web.Pages;

/// <summary>Reads the parameters of the API. Each may be given once.</summary>
internal static class ApiParameters
{
    private const int DefaultRows = 20;

    /// <summary>Reads <c>n</c>, the number of threads.</summary>
    public static bool TryReadRows(IQueryCollection query, out int rows, out string error)
    {
        error = $"invalid n: must be 1-{HotThreadTracker.MaxThreads}";
        return TryReadNumber(query["n"], DefaultRows, HotThreadTracker.MaxThreads, out rows);
    }

    /// <summary>Reads a number of 1 or more.</summary>
    public static bool TryReadNumber(StringValues values, int byDefault, int most, out int number)
    {
        number = byDefault;
        return values.Count == 0
            || (values.Count == 1 && int.TryParse(values[0], NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= 1 && number <= most);
    }

    /// <summary>Reads a time; without one the default.</summary>
    /// <param name="query">The parameters.</param>
    /// <param name="name">The name of this one.</param>
    /// <param name="time">Milliseconds since 1970; null: it is not given.</param>
    /// <param name="error">What is wrong with it.</param>
    public static bool TryReadTime(IQueryCollection query, string name, out long? time, out string error)
    {
        time = null;
        error = $"invalid {name}: {ApiTime.Expected}";
        StringValues values = query[name];
        if (values.Count == 0)
            return true;
        bool valid = ApiTime.TryParse(values.Count == 1 ? values[0] : null, out long parsed);
        time = parsed;
        return valid;
    }
}
