using System.Collections.Immutable;
using ThreadExporter.Configuration;

namespace ThreadExporter.Roles;

/// <summary>Where role files are. Never a path from the network or from the configuration.</summary>
internal static class RoleFolders
{
    private const int MaxFiles = 100;

    private const string Name = "roles.d";

    /// <summary>Both folders, first that of the administrator, whose roles take precedence. A folder may be missing.</summary>
    public static ImmutableArray<string> Default => [Administrator, Shipped];

    /// <summary>Below the directory of systemd's <c>ConfigurationDirectory=</c>, if the unit has one; else below <c>/etc/thread-exporter</c>.</summary>
    private static string Administrator
    {
        get
        {
            // systemd sets absolute paths only; a relative one would depend on the working directory.
            string? first = Environment.GetEnvironmentVariable("CONFIGURATION_DIRECTORY")?.Split(':')[0];
            return Path.Combine(Path.IsPathRooted(first) ? first : "/etc/thread-exporter", Name);
        }
    }

    /// <summary>Beside the program after a build; else as packages install both: <c>bin</c> and <c>share</c> below the same prefix.</summary>
    private static string Shipped
    {
        get
        {
            string built = Path.Combine(AppContext.BaseDirectory, Name);
            return Directory.Exists(built) ? built : Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../share/thread-exporter", Name));
        }
    }

    /// <summary>The paths of a folder's role files, sorted by name; empty with an error when they cannot be listed.</summary>
    public static ImmutableArray<string> List(string folder, List<ConfigError> errors)
    {
        try
        {
            // Hidden ones are an editor's, or the folders behind a mounted ConfigMap.
            string[] files = [.. Directory.EnumerateFiles(folder).Where(f => f.EndsWith(".toml", StringComparison.Ordinal) && !Path.GetFileName(f).StartsWith('.')).Take(MaxFiles + 1)];
            if (files.Length <= MaxFiles)
                return [.. files.Order(StringComparer.Ordinal)];
            errors.Add(new(folder, default, "", FormattableString.Invariant($"has more than {MaxFiles} role files: none of them is used")));
        }
        catch (DirectoryNotFoundException)
        {
        }
        catch (UnauthorizedAccessException)
        {
            errors.Add(new(folder, default, "", "permission denied"));
        }
        catch (IOException)
        {
            errors.Add(new(folder, default, "", "cannot be listed"));
        }
        return [];
    }
}
