using System.Collections.Immutable;
using System.Text.RegularExpressions;
using ThreadExporter.Configuration;
using ThreadExporter.Procfs;

namespace ThreadExporter.Matching;

/// <summary>The <c>[filter.threads]</c> of a filter, compiled: which threads have series, and with what name.</summary>
internal sealed partial class ThreadSelection(ThreadsConfig config)
{
    private readonly ImmutableArray<Glob> _include = Glob.CompileAll(config.Include);
    private readonly ImmutableArray<Glob> _exclude = Glob.CompileAll(config.Exclude);

    public ThreadDetail Detail => config.Detail;

    /// <summary>How many threads (or names) of a process are shown, those with the most recent CPU use; 0: all.</summary>
    public int Top => config.Top;

    /// <summary>
    /// The name for labels, valid UTF-8; null when the filter does not show threads with this name. Names that look the same are the same: an
    /// invalid UTF-8 byte and the four characters that replace it give one name.
    /// </summary>
    /// <param name="name">The bytes from the kernel. The globs match the decoded name before digits are folded.</param>
    /// <param name="foldDigits">Digits are folded even if the filter does not say so.</param>
    public string? ShownName(ReadOnlySpan<byte> name, bool foldDigits = false)
    {
        if (Detail == ThreadDetail.None)
            return null;
        string text = ProcText.Decode(name);
        if (!Glob.MatchesAny(_include, text) || Glob.MatchesAny(_exclude, text))
            return null;
        return config.FoldDigits || foldDigits ? FoldDigits(text) : text;
    }

    /// <summary>The name with <c>*</c> for each run of digits.</summary>
    public static string FoldDigits(string name) => DigitRun().Replace(name, "*");

    [GeneratedRegex("[0-9]+")]
    private static partial Regex DigitRun();
}
