using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using NLog;
using NLog.Layouts;
using ThreadExporter.Configuration;
using ThreadExporter.Text;

namespace ThreadExporter.Logging;

/// <summary>The two formats of the text outputs, <c>log.format</c>. Times are UTC (RFC 3339).</summary>
internal static class LogFormats
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    // Messages contain thread and process names: escape only what JSON requires.
    private static readonly JsonWriterOptions JsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Layout LayoutOf(LogFormat format) =>
        Layout.FromMethod(format == LogFormat.Json ? Json : Text, LayoutRenderOptions.ThreadAgnostic);

    /// <summary>
    /// <c>2026-11-23T09:15:00.123Z info  Category message</c>. Every record starts in column 1, and no other line does: a
    /// newline is followed by spaces, so a hostile name in a message cannot look like a record. Other control characters are
    /// escaped as <c>\u001B</c> (<see cref="Printable"/>): a log must not control the terminal it is read on.
    /// </summary>
    public static string Text(LogEventInfo record)
    {
        StringBuilder text = new(256);
        text.Append(Time(record)).Append(' ').Append(LevelName(record.Level).PadRight(5)).Append(' ');
        AppendLines(text, record.LoggerName ?? "");
        text.Append(' ');
        AppendLines(text, Message(record));
        return text.ToString();
    }

    /// <summary>One object per line: <c>time</c>, <c>level</c>, <c>logger</c>, <c>message</c>, and <c>properties</c> and <c>exception</c> if present.</summary>
    public static string Json(LogEventInfo record)
    {
        ArrayBufferWriter<byte> bytes = new(512);
        using (Utf8JsonWriter json = new(bytes, JsonOptions))
        {
            json.WriteStartObject();
            json.WriteString("time", Time(record));
            json.WriteString("level", LevelName(record.Level));
            json.WriteString("logger", record.LoggerName);
            json.WriteString("message", record.FormattedMessage);
            if (record.HasProperties)
            {
                json.WriteStartObject("properties");
                foreach ((object name, object? value) in record.Properties)
                {
                    json.WritePropertyName(ValueText(name));
                    WriteValue(json, value);
                }
                json.WriteEndObject();
            }
            if (record.Exception is not null)
                json.WriteString("exception", record.Exception.ToString());
            json.WriteEndObject();
        }
        // Unprintable characters occur only in strings, where \uXXXX is a JSON escape: a terminal shows it, a parser restores the character.
        return Printable.Of(Encoding.UTF8.GetString(bytes.WrittenSpan));
    }

    /// <summary>The message, followed by the exception on separate lines, if any.</summary>
    public static string Message(LogEventInfo record) =>
        record.Exception is null ? record.FormattedMessage : $"{record.FormattedMessage}\n{record.Exception}";

    /// <summary>A property's value as text, in the invariant culture.</summary>
    public static string ValueText(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";

    private static string Time(LogEventInfo record) => record.TimeStamp.ToUniversalTime().ToString(TimeFormat, CultureInfo.InvariantCulture);

    private static string LevelName(NLog.LogLevel level) => level.Ordinal switch
    {
        0 => "trace",
        1 => "debug",
        2 => "info",
        3 => "warn",
        4 => "error",
        _ => "fatal",
    };

    // \r\n counts as one newline; trailing newlines are dropped.
    private static void AppendLines(StringBuilder text, string value) =>
        text.Append(Printable.Lines(value.ReplaceLineEndings("\n").TrimEnd('\n')).Replace("\n", "\n    ", StringComparison.Ordinal));

    private static void WriteValue(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case null: json.WriteNullValue(); break;
            case bool flag: json.WriteBooleanValue(flag); break;
            case sbyte or byte or short or ushort or int or uint or long: json.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture)); break;
            case ulong number: json.WriteNumberValue(number); break;
            case decimal number: json.WriteNumberValue(number); break;
            // JSON has no NaN and no infinity.
            case double number when double.IsFinite(number): json.WriteNumberValue(number); break;
            case float number when float.IsFinite(number): json.WriteNumberValue(number); break;
            default: json.WriteStringValue(ValueText(value)); break;
        }
    }
}
