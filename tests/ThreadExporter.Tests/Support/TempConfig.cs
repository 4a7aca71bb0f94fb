namespace ThreadExporter.Tests.Support;

/// <summary>A configuration file in a directory of its own.</summary>
internal sealed class TempConfig : IDisposable
{
    public TempConfig(string content)
    {
        Folder = Directory.CreateTempSubdirectory("te-config-").FullName;
        Path = System.IO.Path.Combine(Folder, "thread-exporter.toml");
        Write(content);
    }

    public string Folder { get; }

    public string Path { get; }

    /// <summary>By rename, so that a reload sees the old file or the new one and never half of it.</summary>
    public void Write(string content)
    {
        File.WriteAllText(Path + ".new", content);
        File.Move(Path + ".new", Path, overwrite: true);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
