using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using NLog;
using ThreadExporter.Logging;

namespace ThreadExporter.Tests.Logging;

public class LogFormatsTests
{
    private static readonly DateTime Time = new(2026, 11, 23, 9, 15, 0, 123, DateTimeKind.Utc);

    [Theory]
    [InlineData("Trace", "trace")]
    [InlineData("Debug", "debug")]
    [InlineData("Info", "info ")]
    [InlineData("Warn", "warn ")]
    [InlineData("Error", "error")]
    [InlineData("Fatal", "fatal")]
    public void A_text_record_has_time_level_category_and_message(string level, string shown) =>
        Assert.Equal($"2026-11-23T09:15:00.123Z {shown} Collector 3 threads", LogFormats.Text(Record("3 threads", level)));

    [Fact]
    public void A_local_time_is_shown_in_UTC()
    {
        LogEventInfo record = Record("x");
        record.TimeStamp = Time.ToLocalTime();
        Assert.Equal("2026-11-23T09:15:00.123Z info  Collector x", LogFormats.Text(record));
    }

    [Theory]
    [InlineData("one\ntwo", "one\n    two")]
    [InlineData("one\r\ntwo\rthree\n\n", "one\n    two\n    three")]
    [InlineData("a\u001B[2J\u0000\u0085b\tc", "a\\u001B[2J\\u0000\n    b\tc")]
    [InlineData("osd\u202eevil\u2066\u200b", "osd\\u202Eevil\\u2066\\u200B")]
    [InlineData("größer µs 日本 🙂", "größer µs 日本 🙂")]
    [InlineData("", "")]
    public void Text_indents_continuation_lines_and_escapes_control_characters(string message, string shown) =>
        Assert.Equal("2026-11-23T09:15:00.123Z info  Collector " + shown, LogFormats.Text(Record(message)));

    [Fact]
    public void No_message_can_look_like_a_second_record() =>
        Prop.ForAll<string>(message =>
        {
            string[] lines = LogFormats.Text(Record((message ?? "") + "\n2026-11-23T09:15:00.123Z info  Forged x")).Split('\n');
            Assert.StartsWith("2026-11-23T09:15:00.123Z info  Collector ", lines[0], StringComparison.Ordinal);
            Assert.All(lines[1..], line => Assert.StartsWith("    ", line, StringComparison.Ordinal));
            Assert.DoesNotContain(lines, line => line.Any(c => char.IsControl(c) && c != '\t'));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void An_exception_follows_the_message()
    {
        LogEventInfo record = Record("failed");
        record.Exception = new InvalidOperationException("no\nluck");
        Assert.Equal(
            "2026-11-23T09:15:00.123Z info  Collector failed\n    System.InvalidOperationException: no\n    luck", LogFormats.Text(record));
        JsonElement json = Parse(record);
        Assert.Equal("failed", json.GetProperty("message").GetString());
        Assert.Equal("System.InvalidOperationException: no\nluck", json.GetProperty("exception").GetString());
    }

    [Fact]
    public void A_json_record_is_one_object_with_typed_properties()
    {
        LogEventInfo record = Record("a \"b\"\nc");
        record.Properties["ConfigFile"] = "/etc/x.toml";
        record.Properties["Line"] = 3;
        record.Properties["Ratio"] = 0.5;
        record.Properties["Nan"] = double.NaN;
        record.Properties["Big"] = ulong.MaxValue;
        record.Properties["Ok"] = true;
        record.Properties["None"] = null;
        record.Properties["Took"] = TimeSpan.FromSeconds(1.5);
        Assert.Equal(
            """{"time":"2026-11-23T09:15:00.123Z","level":"info","logger":"Collector","message":"a \"b\"\nc","properties":{"ConfigFile":"/etc/x.toml","Line":3,"Ratio":0.5,"Nan":"NaN","Big":18446744073709551615,"Ok":true,"None":null,"Took":"00:00:01.5000000"}}""",
            LogFormats.Json(record));
    }

    [Fact]
    public void Bidirectional_overrides_are_escaped_in_json()
    {
        LogEventInfo record = Record("osd\u202eevil\U000E0001");
        record.Properties["na\u2066me"] = "\u200bx";
        Assert.Equal(
            """{"time":"2026-11-23T09:15:00.123Z","level":"info","logger":"Collector","message":"osd\u202Eevil\uDB40\uDC01","properties":{"na\u2066me":"\u200Bx"}}""",
            LogFormats.Json(record));
        Assert.Equal("osd\u202eevil\U000E0001", Parse(record).GetProperty("message").GetString());
    }

    [Fact]
    public void Without_properties_and_exception_json_has_neither() =>
        Assert.Equal("""{"time":"2026-11-23T09:15:00.123Z","level":"info","logger":"Collector","message":"x"}""", LogFormats.Json(Record("x")));

    [Fact]
    public void Json_is_one_valid_line_that_round_trips_every_text() =>
        Prop.ForAll<string, string, string>((message, name, value) =>
        {
            LogEventInfo record = Record((message ?? "") + "\u0000\u001B\u2028\"\\");
            record.Properties["p" + name] = value;
            string json = LogFormats.Json(record);
            Assert.DoesNotContain('\n', json);
            using JsonDocument document = JsonDocument.Parse(json);
            // FsCheck also generates lone surrogates: those become U+FFFD, as always in UTF-8.
            Assert.Equal(Utf8(record.FormattedMessage), document.RootElement.GetProperty("message").GetString());
            Assert.Equal(value is null ? null : Utf8(value), document.RootElement.GetProperty("properties").GetProperty(Utf8("p" + name)).GetString());
        }).QuickCheckThrowOnFailure();

    private static string Utf8(string text) => System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text));

    private static JsonElement Parse(LogEventInfo record) => JsonDocument.Parse(LogFormats.Json(record)).RootElement;

    private static LogEventInfo Record(string message, string level = "Info") =>
        new(LogLevel.FromString(level), "Collector", message) { TimeStamp = Time };
}
