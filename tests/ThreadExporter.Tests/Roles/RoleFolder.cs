namespace ThreadExporter.Tests.Roles;

/// <summary>A folder <c>roles.d</c> of its own, below one that <c>CONFIGURATION_DIRECTORY</c> can name.</summary>
internal sealed class RoleFolder : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("te-roles-").FullName;

    public RoleFolder() => Directory.CreateDirectory(Path);

    public string Path => System.IO.Path.Combine(_root, "roles.d");

    public Dictionary<string, string> Environment => new() { ["CONFIGURATION_DIRECTORY"] = _root };

    public string Write(string file, string content)
    {
        string path = System.IO.Path.Combine(Path, file);
        File.WriteAllText(path, content);
        return path;
    }

    /// <summary>A role without a source.</summary>
    public static string Role(string process, string thread, string role) =>
        $"[[role]]\nprocess = \"{process}\"\nthread = \"{thread}\"\nrole = \"{role}\"\ntext = \"What {role} does.\"\n";

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
