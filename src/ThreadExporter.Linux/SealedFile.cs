using Microsoft.Win32.SafeHandles;

namespace ThreadExporter.Linux;

/// <summary>A file in memory whose content can no longer change: memfd_create(2) with every seal of fcntl(2).</summary>
public static unsafe class SealedFile
{
    /// <returns>Null when there is no memory or no descriptor.</returns>
    public static SafeFileHandle? Create(ReadOnlySpan<byte> content)
    {
        SafeFileHandle file;
        fixed (byte* name = "journal-record\0"u8)
            file = Native.memfd_create(name, Native.MFD_CLOEXEC | Native.MFD_ALLOW_SEALING);
        try
        {
            if (!file.IsInvalid)
            {
                RandomAccess.Write(file, content, 0);
                const int AllSeals = Native.F_SEAL_SEAL | Native.F_SEAL_SHRINK | Native.F_SEAL_GROW | Native.F_SEAL_WRITE;
                if (Native.fcntl(file, Native.F_ADD_SEALS, AllSeals) == 0)
                    return file;
            }
        }
        catch (IOException)
        {
            // No memory for the content.
        }
        file.Dispose();
        return null;
    }
}
