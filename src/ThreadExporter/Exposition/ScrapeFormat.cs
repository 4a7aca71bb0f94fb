using Microsoft.Net.Http.Headers;

namespace ThreadExporter.Exposition;

/// <summary>The format of a response: one of two text formats, compressed or not.</summary>
internal readonly record struct ScrapeFormat(bool OpenMetrics, bool Gzip)
{
    private const string OpenMetricsType = "application/openmetrics-text";

    public string ContentType => OpenMetrics
        ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
        : "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>
    /// Negotiates by <c>Accept</c> and <c>Accept-Encoding</c> (RFC 9110, 12.5). OpenMetrics only when it is listed, in version 1.0.0 or
    /// without a version, and with at least the quality of <c>text/plain</c>. A header that cannot be parsed is ignored.
    /// </summary>
    public static ScrapeFormat Negotiate(IHeaderDictionary headers)
    {
        double openMetrics = 0;
        double text = 0;
        if (MediaTypeHeaderValue.TryParseList(headers.Accept, out IList<MediaTypeHeaderValue>? accepted))
        {
            foreach (MediaTypeHeaderValue type in accepted)
            {
                double quality = type.Quality ?? 1;
                if (type.MediaType.Equals(OpenMetricsType, StringComparison.OrdinalIgnoreCase))
                {
                    string version = type.Parameters.FirstOrDefault(p => p.Name.Equals("version", StringComparison.OrdinalIgnoreCase))?.Value.Value ?? "1.0.0";
                    if (version.Trim('"') == "1.0.0")
                        openMetrics = Math.Max(openMetrics, quality);
                }
                else if (type.MediaType.Equals("text/plain", StringComparison.OrdinalIgnoreCase))
                {
                    text = Math.Max(text, quality);
                }
            }
        }
        return new ScrapeFormat(openMetrics > 0 && openMetrics >= text, PrefersGzip(headers));
    }

    /// <summary>
    /// Gzip when it is listed (also as <c>x-gzip</c>), or when <c>*</c> covers it and uncompressed text is refused; not when uncompressed
    /// text has the higher quality. When every encoding is refused, the text is sent uncompressed (RFC 9110, 12.5.3).
    /// </summary>
    private static bool PrefersGzip(IHeaderDictionary headers)
    {
        if (!StringWithQualityHeaderValue.TryParseList(headers.AcceptEncoding, out IList<StringWithQualityHeaderValue>? encodings))
            return false;
        double? gzip = null;
        double? identity = null;
        double? others = null;
        foreach (StringWithQualityHeaderValue encoding in encodings)
        {
            double quality = encoding.Quality ?? 1;
            if (encoding.Value.Equals("gzip", StringComparison.OrdinalIgnoreCase) || encoding.Value.Equals("x-gzip", StringComparison.OrdinalIgnoreCase))
                gzip = Math.Max(gzip ?? 0, quality);
            else if (encoding.Value.Equals("identity", StringComparison.OrdinalIgnoreCase))
                identity = quality;
            else if (encoding.Value == "*")
                others = quality;
        }
        if (gzip is null && identity == 0)
            gzip = others;
        return gzip > 0 && gzip >= (identity ?? 0);
    }
}
