using System.Collections.Immutable;
using System.Text.RegularExpressions;
using ThreadExporter.Configuration;
using ThreadExporter.Procfs;

namespace ThreadExporter.Matching;

/// <summary>A rule's <c>[filter.threads]</c>, compiled: which threads have series, and under what name.</summary>
internal sealed partial class ThreadSelection(ThreadsConfig config)
{
    private readonly ImmutableArray<Glob> _include = Glob.CompileAll(config.Include);
    private readonly ImmutableArray<Glob> _exclude = Glob.CompileAll(config.Exclude);

    public ThreadDetail Detail => config.Detail;

    /// <summary>How many of a process's threads (or names) are shown, the hottest; 0: all.</summary>
    public int Top => config.Top;

    /// <summary>
    /// The name as labels show it, valid UTF-8; null when the rule does not show threads of this name. Names that are shown
    /// alike are alike: a byte that is not UTF-8 and the four characters it is shown as make one name.
    /// </summary>
    /// <param name="name">In the kernel's bytes. The globs see it as it is shown, before its digits are folded.</param>
    public string? ShownName(ReadOnlySpan<byte> name)
    {
        if (Detail == ThreadDetail.None)
            return null;
        string text = ProcText.Decode(name);
        if (!Glob.MatchesAny(_include, text) || Glob.MatchesAny(_exclude, text))
            return null;
        return config.FoldDigits ? DigitRun().Replace(text, "*") : text;
    }

    [GeneratedRegex("[0-9]+")]
    private static partial Regex DigitRun();
}
