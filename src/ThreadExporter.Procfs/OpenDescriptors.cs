namespace ThreadExporter.Procfs;

/// <summary>How many descriptors this process has open.</summary>
public static unsafe class OpenDescriptors
{
    /// <summary>
    /// Linux 6.2 and later tell the number as the size of the directory <c>/proc/self/fd</c> (Documentation/filesystems/proc.rst):
    /// one call, where listing ten thousand entries takes 10 ms.
    /// </summary>
    /// <returns>False before Linux 6.2, where that size is always 0.</returns>
    public static bool TryCount(out long count)
    {
        Native.Statx file;
        fixed (byte* path = "/proc/self/fd\0"u8)
        {
            bool known = Native.statx(Native.AT_FDCWD, path, 0, Native.STATX_SIZE, &file) == 0 && file.Size is > 0 and <= long.MaxValue;
            count = known ? (long)file.Size : 0;
            return known;
        }
    }
}
