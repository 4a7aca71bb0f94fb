namespace ThreadExporter.Procfs;

/// <summary>
/// <c>/proc/PID/cmdline</c>: arguments with a NUL after each (proc_pid_cmdline(5)). A process that rewrote its title
/// has one argument. Kernel threads and zombies have none. Trailing NULs are dropped, and trailing empty arguments with them.
/// </summary>
public static class Cmdline
{
    /// <summary>The arguments with a blank between them.</summary>
    public static string Join(ReadOnlySpan<byte> text) => ProcText.Decode(text.TrimEnd((byte)0)).Replace('\0', ' ');

    /// <summary>The arguments.</summary>
    public static List<string> Split(ReadOnlySpan<byte> text)
    {
        var arguments = new List<string>();
        text = text.TrimEnd((byte)0);
        if (text.IsEmpty)
            return arguments;
        foreach (Range range in text.Split((byte)0))
            arguments.Add(ProcText.Decode(text[range]));
        return arguments;
    }
}
