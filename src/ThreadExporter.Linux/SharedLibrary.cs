using System.Reflection;
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

    /// <summary>
    /// Tells an assembly in which file the library is that it calls by a name without a version: only development packages have a file of that name. Once
    /// per assembly, before its first call.
    /// </summary>
    /// <param name="assembly">The assembly that calls the library.</param>
    /// <param name="name">The name that it uses.</param>
    /// <param name="file">The file name with the version.</param>
    public static void Redirect(Assembly assembly, string name, string file) =>
        NativeLibrary.SetDllImportResolver(assembly, (wanted, _, _) => wanted == name && NativeLibrary.TryLoad(file, out nint library) ? library : 0);
}
