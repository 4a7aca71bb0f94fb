using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using ThreadExporter.Linux;

namespace ThreadExporter.Systemd;

/// <summary>Whether a descriptor is the journal. Source: <c>JOURNAL_STREAM</c> in systemd.exec(5).</summary>
[SuppressMessage("Naming", "CA1711:Identifiers should not have incorrect suffix", Justification = "Named after the variable JOURNAL_STREAM.")]
public static class JournalStream
{
    /// <summary>The descriptor of standard error.</summary>
    public const int StandardError = 2;

    /// <summary>
    /// True when the descriptor is the stream that systemd connected to the journal. The variable alone is not enough: a terminal in a desktop
    /// session inherits it.
    /// </summary>
    public static bool IsJournal(int descriptor) => IsJournal(descriptor, Environment.GetEnvironmentVariable("JOURNAL_STREAM"));

    /// <param name="descriptor">The open descriptor.</param>
    /// <param name="variable">Value of <c>JOURNAL_STREAM</c>: device and inode in decimal, separated by a colon; null when not set.</param>
    public static bool IsJournal(int descriptor, string? variable)
    {
        int colon = variable?.IndexOf(':', StringComparison.Ordinal) ?? -1;
        if (colon < 0
            || !ulong.TryParse(variable.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out ulong device)
            || !ulong.TryParse(variable.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ulong inode))
            return false;
        FileIdentity file = FileIdentity.Read(descriptor);
        return file.Status == ReadStatus.Ok && file.Inode == inode && DeviceNumber(file.Device >> 32, file.Device & uint.MaxValue) == device;
    }

    /// <summary>glibc's encoding of a device number: makedev(3).</summary>
    private static ulong DeviceNumber(ulong major, ulong minor) =>
        ((major & 0xFFFFF000) << 32) | ((major & 0xFFF) << 8) | ((minor & 0xFFFFFF00) << 12) | (minor & 0xFF);
}
