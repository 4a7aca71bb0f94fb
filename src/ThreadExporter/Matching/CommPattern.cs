using System.Collections.Immutable;
using System.Text;

namespace ThreadExporter.Matching;

/// <summary>
/// A glob for a process's comm. A literal name that is longer than the kernel keeps also matches by its first 15 bytes, so that
/// <c>systemd-journald</c> can be written in full.
/// </summary>
internal sealed class CommPattern
{
    /// <summary>TASK_COMM_LEN − 1 (include/linux/sched.h): the kernel cuts longer names. Kernel threads may show more (proc(5)).</summary>
    private const int MaxUserCommBytes = 15;

    private readonly Glob _glob;
    private readonly byte[]? _truncated;

    public CommPattern(string pattern)
    {
        _glob = new Glob(pattern);
        if (_glob.LiteralText is { } text && Encoding.UTF8.GetByteCount(text) > MaxUserCommBytes)
            _truncated = Encoding.UTF8.GetBytes(text)[..MaxUserCommBytes];
    }

    public static ImmutableArray<CommPattern> CompileAll(ImmutableArray<string> patterns) =>
        [.. patterns.Select(static text => new CommPattern(text))];

    /// <param name="comm">The raw bytes. The cut may be inside a UTF-8 character, which the decoded text does not show.</param>
    /// <param name="text">The same name, decoded.</param>
    public bool Matches(ReadOnlySpan<byte> comm, ReadOnlySpan<char> text) =>
        _glob.Matches(text) || (_truncated is not null && comm.SequenceEqual(_truncated));
}
