using System.Buffers;
using System.Text;
using ThreadExporter.Linux;

namespace ThreadExporter.Procfs;

/// <summary>The kept bytes of a <c>cmdline</c>.</summary>
/// <param name="Head">All of it; if it was cut, its start.</param>
/// <param name="Tail">If it was cut, its end; else empty.</param>
public sealed record CommandLineBytes(byte[] Head, byte[] Tail)
{
    /// <summary>The command line of kernel threads and zombies.</summary>
    public static CommandLineBytes None { get; } = new([], []);

    public bool WasCut => Tail.Length > 0;
}

/// <summary>
/// <c>/proc/PID/cmdline</c>: arguments with a NUL after each (proc_pid_cmdline(5)). A process that rewrote its title
/// has one argument, which may be padded with spaces or NULs to the length of the original text. Kernel threads and zombies have none.
/// Trailing spaces and NULs are dropped, including trailing empty arguments.
/// </summary>
public static class ProcCmdline
{
    /// <summary>The bytes kept of each end of a command line that is longer than twice this.</summary>
    public const int KeptOfEachEnd = 32 * 1024;

    /// <summary>execve(2) allows at most 6 MiB (bprm_stack_limits, fs/exec.c), but a process may set a larger range: PR_SET_MM_MAP.</summary>
    private const int LongestRead = 8 * 1024 * 1024;

    /// <summary>Reads it through a kept descriptor. May wait for the lock of the process's memory map.</summary>
    public static ReadStatus Read(int fd, out CommandLineBytes text)
    {
        text = CommandLineBytes.None;
        byte[] head = new byte[2 * KeptOfEachEnd];
        ReadStatus status = RawFile.ReadAt(fd, head, out int length);
        if (status != ReadStatus.Ok)
            return status;
        long end = Trim(head.AsSpan(0, length)).Length;
        byte[] tail = [];
        if (length == head.Length)
        {
            byte[] buffer = new byte[2 * KeptOfEachEnd];
            for (long offset = length; offset < LongestRead; offset += length)
            {
                status = RawFile.ReadAt(fd, buffer, offset, out length);
                if (status != ReadStatus.Ok)
                    return status;
                if (length == 0)
                    break;
                if (Trim(buffer.AsSpan(0, length)).Length is var used and > 0)
                    end = offset + used;
            }
            if (end > head.Length)
            {
                status = RawFile.ReadAt(fd, buffer.AsSpan(0, KeptOfEachEnd), end - KeptOfEachEnd, out length);
                if (status != ReadStatus.Ok)
                    return status;
                tail = Trim(WithoutBrokenStart(buffer.AsSpan(0, length))).ToArray();
                end = tail.Length > 0 ? KeptOfEachEnd : head.Length;
            }
        }
        Span<byte> kept = head.AsSpan(0, (int)end);
        text = new CommandLineBytes((tail.Length > 0 ? WithoutBrokenEnd(kept) : kept).ToArray(), tail);
        return ReadStatus.Ok;
    }

    /// <summary>The arguments joined by spaces.</summary>
    public static string Join(ReadOnlySpan<byte> text) => ProcText.Decode(Trim(text)).Replace('\0', ' ');

    /// <summary>The arguments.</summary>
    public static List<string> Split(ReadOnlySpan<byte> text)
    {
        List<string> arguments = new();
        text = Trim(text);
        if (text.IsEmpty)
            return arguments;
        foreach (Range range in text.Split((byte)0))
            arguments.Add(ProcText.Decode(text[range]));
        return arguments;
    }

    /// <summary>
    /// The arguments. An empty argument replaces the cut ones and all between them, so that an option before the cut does not take an argument
    /// after it as its value.
    /// </summary>
    public static List<string> Split(CommandLineBytes text)
    {
        ArgumentNullException.ThrowIfNull(text);
        List<string> arguments = Split(text.Head);
        if (!text.WasCut)
            return arguments;
        if (arguments.Count > 0)
            arguments.RemoveAt(arguments.Count - 1);
        arguments.Add("");
        int next = text.Tail.AsSpan().IndexOf((byte)0) + 1;
        if (next > 0)
            arguments.AddRange(Split(text.Tail.AsSpan(next)));
        return arguments;
    }

    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text) => text.TrimEnd("\0 "u8);

    // A cut may be inside a multi-byte character, whose bytes would then be shown one by one.
    private static ReadOnlySpan<byte> WithoutBrokenEnd(ReadOnlySpan<byte> text) =>
        Rune.DecodeLastFromUtf8(text, out _, out int consumed) == OperationStatus.NeedMoreData ? text[..^consumed] : text;

    private static ReadOnlySpan<byte> WithoutBrokenStart(ReadOnlySpan<byte> text)
    {
        int start = 0;
        while (start < 3 && start < text.Length && (text[start] & 0xC0) == 0x80)
            start++;
        return text[start..];
    }
}
