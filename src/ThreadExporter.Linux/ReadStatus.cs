namespace ThreadExporter.Linux;

/// <summary>How a read of /proc ended. A process that vanishes half-way is a result, not an error.</summary>
public enum ReadStatus
{
    Ok,
    /// <summary>The process, thread or file is not there (any more): ENOENT, ESRCH, ENOTDIR.</summary>
    Gone,
    /// <summary>EACCES or EPERM.</summary>
    Denied,
    /// <summary>For the callers of the parsers: the file was read and its text is not what the kernel writes.</summary>
    Malformed,
    Other,
    /// <summary>EMFILE or ENFILE: no descriptor left, so the answer says nothing about the file.</summary>
    NoDescriptors,
}
