using System.Runtime.InteropServices;

namespace ThreadExporter.Linux;

/// <summary>Shared libraries that the runtime or the daemon loads only when they are needed: dlopen(3).</summary>
public static class SharedLibrary
{
    /// <summary>Whether the system has one of these libraries, by file name.</summary>
    public static bool Exists(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            if (NativeLibrary.TryLoad(name, out _))
                return true;
        }
        return false;
    }
}
