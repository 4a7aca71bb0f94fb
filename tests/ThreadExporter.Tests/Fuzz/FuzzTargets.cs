using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using ThreadExporter.Configuration;
using ThreadExporter.Exposition;
using ThreadExporter.HotThreads;
using ThreadExporter.Linux;
using ThreadExporter.Matching;
using ThreadExporter.Procfs;
using ThreadExporter.Recording;
using ThreadExporter.Tests.Recording;
using ThreadExporter.Tests.Support;
using ThreadExporter.Toml;
using ThreadExporter.Web.Pages;

namespace ThreadExporter.Tests.Fuzz;

/// <summary>What is wrong with the result for an input, or null.</summary>
internal delegate string? FuzzCheck(ReadOnlySpan<byte> input, out bool good);

/// <param name="Name">The name of the parser.</param>
/// <param name="Inputs">The number of inputs in a short run.</param>
/// <param name="Files">Real texts to mutate.</param>
/// <param name="Pieces">Fragments to insert.</param>
/// <param name="Check">Parses an input.</param>
internal sealed record FuzzTarget(string Name, int Inputs, byte[][] Files, byte[][] Pieces, FuzzCheck Check);

/// <summary>The parsers of untrusted text.</summary>
internal static class FuzzTargets
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private static readonly byte[][] ProcPieces = Texts("(", ")", ") ", " ", "\n", "\t", "\0", ":", "/", "-", "Uid:", "NSpid:", "voluntary_ctxt_switches:", "0::/", "name=systemd", "..", " (deleted)", "\xff", "é");

    private static readonly byte[][] CgroupPieces = Texts("nr_periods ", "nr_throttled ", "usage_usec ", "throttled_usec ", "throttled_time ", "max", "some ", " total=", "total=", " ", "\n", "\0", "-", "-1\n", "\xff");

    private static readonly byte[][] HttpPieces = Texts(
        "application/openmetrics-text", "text/plain", "*/*", ";", ",", "=", "q=", "q=0.5", "version=1.0.0", "version=0.0.4", "charset=\"utf-8\"", "\"", "\\", "\t", " ", "/", "gzip", "identity", "GZIP", "\n", "\0", "é");

    private static readonly byte[][] TomlPieces = Texts(
        "[", "]", "[[", "]]", "{", "}", "=", "\"", "'", "\"\"\"", "'''", "\\", "\\u00e9", "\\e", ".", ",", "\n", "\r", "\r\n", "#", "true", "inf", "nan", "1979-05-27T07:32:00Z", "07:32", "0x", "1e",
        "\uFEFF", "😀", "\0", "\x1b", "filter", "match", "comm", "cmdline", "name", "(", ")", "*", "{1000}", "(?<n>", "pid", "\"5s\"", "\"-1s\"", "[^", "[!", "[[:digit:]]", "[:", "z-a", "{a,b}", "{,3}", "(?P<n>", "-[a]", "\\x2d", "\u202e", "\"10MiB\"", "[web]", "[log]", "\xff");

    public static readonly IReadOnlyList<FuzzTarget> All =
    [
        new("stat", 25_000, [.. Fixtures("stat")], ProcPieces, ReferenceParsers.Stat),
        new("schedstat", 20_000, [.. Fixtures("schedstat")], ProcPieces, ReferenceParsers.SchedStat),
        new("status", 15_000, [.. Fixtures("status")], ProcPieces, ReferenceParsers.Status),
        new("cgroup", 15_000, [.. Fixtures("cgroup")], ProcPieces, ReferenceParsers.Cgroup),
        new("cpu.stat", 12_000, [.. Fixtures("cpu.stat")], CgroupPieces, ReferenceParsers.CpuStat),
        new("cpu.max", 12_000, [.. Fixtures("cpu.max")], CgroupPieces, ReferenceParsers.CpuMax),
        new("cpu.pressure", 12_000, [.. Fixtures("cpu.pressure")], CgroupPieces, ReferenceParsers.CpuPressure),
        new("cgroup number", 12_000, [.. Fixtures("cgroup-number")], CgroupPieces, ReferenceParsers.Number),
        new("loadavg", 12_000, Texts("0.20 0.18 0.12 1/80 11206\n", "0.00 0.01 0.05 12/4194304 2147483647\n"), ProcPieces, ReferenceParsers.Loadavg),
        new("cmdline", 12_000, [.. Fixtures("cmdline"), "ceph-osd\0-n\0osd.0\0"u8.ToArray(), "/usr/bin/ceph-osd\0--id=a\0--\0-i\01\0"u8.ToArray()], ProcPieces, CommandLine),
        new("accept", 12_000, Texts(
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4", "text/html", "gzip, deflate;q=0.5, br", "gzip;q=0"), HttpPieces, Accept),
        new("time", 12_000, Texts("2026-11-27T02:13:00Z", "2026-11-27T03:13:00.25+01:00", "1795745580.5", "0"),
            Texts("T", "Z", "+", "-", ":", ".", " ", "00:00", "+14:00", "24", "29", "2026-02-", "9999", "0001", "1e9", "\0", "٣", "\xff"), Time),
        new("recorded rows", 12_000, [Rows()], Texts("\x01", "\x7f", "\xff", "\0"), RecordedRows),
        new("toml", 5_000, [.. TomlFiles()], TomlPieces, Toml),
        new("configuration", 2_000, [.. TomlFiles()], TomlPieces, Configuration),
    ];

    private static byte[][] Texts(params string[] texts) => [.. texts.Select(t => t == "\xff" ? [0xff] : Encoding.UTF8.GetBytes(t))];

    private static IEnumerable<byte[]> Fixtures(string folder) =>
        Directory.EnumerateFiles(Repository.File("tests/ThreadExporter.Procfs.Tests/fixtures/" + folder)).Order(StringComparer.Ordinal).Select(File.ReadAllBytes).Where(b => b.Length < 4096);

    private static IEnumerable<byte[]> TomlFiles() =>
    [
        .. Directory.EnumerateFiles(Repository.File("tests/ThreadExporter.Tests/Configuration/Bad"), "*.toml").Order(StringComparer.Ordinal).Select(File.ReadAllBytes).Where(b => b.Length < 1000),
        File.ReadAllBytes(Repository.File("etc/thread-exporter.toml")),
        .. Texts(
            "[[filter]]\nname = \"osd\"\nmatch = 'ceph-osd, 3240'\nchildren = true\n[filter.threads]\ndetail = \"tid\"\ninclude = [\"*\", 'tp_osd_*']\n",
            "[[filter]]\ncmdline = '--cluster (\\S+)'\nunit = \"ceph\\u002dosd@*.service\"\nuser = [\"ceph\", 167]\n\n[web]\nlisten = [\":9199\", '[::1]:9199']\nmax_requests = 4_0\n",
            "title = \"a \\\"b\\\" é\" # comment\na.b.\"c d\" = { x = 1.5e3, y = inf, z = [true, 1979-05-27T07:32:00.5Z, 07:32:00] }\ntext = '''\nmulti'''\nmore = \"\"\"\n a \\\n b\"\"\"\n"),
    ];

    private static byte[] Rows()
    {
        ArrayBufferWriter<byte> output = new();
        List<string> texts = [];
        IntervalCodec.Write([RecorderFolder.Row(), RecorderFolder.Row(4_000_000, "other", 1_000_000_000, 500_000_000, Verdict.Starved, "others use the CPUs")], output, text =>
        {
            if (!texts.Contains(text))
                texts.Add(text);
            return texts.IndexOf(text) + 1;
        });
        return output.WrittenSpan.ToArray();
    }

    private static string? RecordedRows(ReadOnlySpan<byte> input, out bool good)
    {
        HotThreadRow[] rows;
        try
        {
            rows = IntervalCodec.Read(input, 5_000_000_000, static number => number is > 0 and < 100 ? $"text {number}" : throw new InvalidDataException("no such text"));
            good = true;
        }
        // Anything else would not count as damage.
        catch (InvalidDataException)
        {
            good = false;
            return null;
        }
        return rows.All(r => r.Cpu >= 0 && r.Wait is null or >= 0 && r.Tid >= 0) ? null : "a value is negative";
    }

    private static string? Time(ReadOnlySpan<byte> input, out bool good)
    {
        good = ApiTime.TryParse(Encoding.UTF8.GetString(input), out long time);
        return !good || (ApiTime.TryParse(ApiTime.Text(time), out long again) && again == time) ? null : $"{time} is written as {ApiTime.Text(time)}";
    }

    private static string? CommandLine(ReadOnlySpan<byte> input, out bool good)
    {
        good = true;
        List<string> arguments = ProcCmdline.Split(input);
        string joined = ProcCmdline.Join(input);
        // It would throw for a lone surrogate: the result must be printable.
        _ = Strict.GetByteCount(joined);
        string? name = CephDaemon.Name("osd", arguments);
        if (joined != string.Join(' ', arguments))
            return "joined otherwise than it is split";
        return name is not null && (name.IndexOf('.', StringComparison.Ordinal) is var dot && (dot <= 0 || dot == name.Length - 1)) ? "a daemon without type or id" : null;
    }

    private static string? Accept(ReadOnlySpan<byte> input, out bool good)
    {
        string text = Encoding.Latin1.GetString(input);
        StringValues lines = text.Split('\n');
        ScrapeFormat format = ScrapeFormat.Negotiate(new HeaderDictionary { ["Accept"] = lines, ["Accept-Encoding"] = lines });
        good = format != default;
        if (format.OpenMetrics && !text.Contains("openmetrics-text", StringComparison.OrdinalIgnoreCase))
            return "OpenMetrics, which was not accepted";
        return format.Gzip && !text.Contains("gzip", StringComparison.OrdinalIgnoreCase) ? "gzip, which was not accepted" : null;
    }

    private static string? Toml(ReadOnlySpan<byte> input, out bool good)
    {
        TomlDocument document = TomlDocument.Parse(input);
        good = document.Errors.IsEmpty;
        foreach (TomlError error in document.Errors)
        {
            if (error.Position is not { Line: >= 1, Column: >= 1 } || error.Message.StartsWith("this is not TOML 1.0", StringComparison.Ordinal))
                return $"{error.Position.Line}:{error.Position.Column}: {error.Message}";
        }
        return null;
    }

    private static string? Configuration(ReadOnlySpan<byte> input, out bool good)
    {
        ConfigResult result = ConfigLoader.Parse(input, "x.toml", new ConfigOverrides());
        good = result.Errors.IsEmpty;
        if (good != result.Config is not null)
            return "neither a configuration nor an error";
        if (result.Config is { } config)
            Matcher.Compile(config.Filters, static _ => UserLookupResult.NotFound);
        return result.Errors.FirstOrDefault(e => e.ToString().Any(char.IsControl))?.ToString();
    }
}
