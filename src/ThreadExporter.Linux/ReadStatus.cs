namespace ThreadExporter.Linux;

/// <summary>The result of a read in /proc. A process that exits in between is an expected result, not an error.</summary>
public enum ReadStatus
{
    Ok,
    /// <summary>The process, thread or file does not exist (any more): ENOENT, ESRCH, ENOTDIR.</summary>
    Gone,
    /// <summary>EACCES or EPERM.</summary>
    Denied,
    /// <summary>For callers of the parsers: the file was read, but its text is not in the kernel's format.</summary>
    Malformed,
    Other,
    /// <summary>EMFILE or ENFILE: no descriptor is free, so the result says nothing about the file.</summary>
    NoDescriptors,
}
