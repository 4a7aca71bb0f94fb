using System.Collections.Immutable;
using System.Text;
using ThreadExporter.Procfs;

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
    private readonly string? _truncatedText;

    public CommPattern(string pattern)
    {
        _glob = new Glob(pattern);
        if (_glob.LiteralText is { } text && Encoding.UTF8.GetByteCount(text) > MaxUserCommBytes)
        {
            _truncated = Encoding.UTF8.GetBytes(text)[..MaxUserCommBytes];
            _truncatedText = ProcText.Decode(_truncated);
        }
    }

    public static ImmutableArray<CommPattern> CompileAll(ImmutableArray<string> patterns) =>
        [.. patterns.Select(static text => new CommPattern(text))];

    /// <param name="comm">The raw bytes. The cut may be inside a UTF-8 character, which the decoded text does not show.</param>
    /// <param name="text">The same name, decoded.</param>
    public bool Matches(ReadOnlySpan<byte> comm, ReadOnlySpan<char> text) =>
        _glob.Matches(text) || (_truncated is not null && comm.SequenceEqual(_truncated));

    /// <param name="text">The name, decoded by <see cref="ProcText.Decode"/>, where its bytes are no longer at hand.</param>
    public bool Matches(ReadOnlySpan<char> text) => _glob.Matches(text) || (_truncatedText is not null && text.SequenceEqual(_truncatedText));

    /// <summary>What the kernel keeps of a user's name, decoded.</summary>
    public static string Cut(string name)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        return bytes.Length <= MaxUserCommBytes ? name : ProcText.Decode(bytes.AsSpan(0, MaxUserCommBytes));
    }
}
