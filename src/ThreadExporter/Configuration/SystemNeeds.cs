using ThreadExporter.Toml;

namespace ThreadExporter.Configuration;

/// <summary>What a configuration needs of the system it is loaded on. A fault stands where the key stands that has the need.</summary>
internal static class SystemNeeds
{
    /// <summary>Reads the files of <c>[web.tls]</c> when TLS is on, and asks libcrypt whether it knows the users' kinds of hashes.</summary>
    public static TlsFiles? Try(WebConfig web, TomlTable root, string file, List<ConfigError> errors)
    {
        TryUsers(web, root, file, errors);
        // With one of the two faulty or missing there is an error already.
        if (!web.Tls.IsOn || web.Tls.KeyFile.Length == 0)
            return null;
        var files = TlsFiles.Load(web.Tls, out var faults);
        errors.AddRange(faults.Select(f => new ConfigError(file, PositionOf(root, f.Key.Split('.')), f.Key, f.ToString())));
        return files;
    }

    private static void TryUsers(WebConfig web, TomlTable root, string file, List<ConfigError> errors)
    {
        // One of each kind: the kind is what stands before the second dollar sign.
        foreach (var (user, hash) in web.BasicAuthUsers.OrderBy(u => u.Key, StringComparer.Ordinal).DistinctBy(u => u.Value[..u.Value.IndexOf('$', 1)]))
        {
            var name = $"web.basic_auth_users.{ConfigText.Key(user)}";
            var fault = !Crypt.IsAvailable
                ? "cannot be checked: this system has no libcrypt.so.1 or libcrypt.so.2 (package libxcrypt, libcrypt1)"
                : Crypt.Knows(hash) ? null : "cannot be checked: this system's libcrypt does not know this kind of hash";
            if (fault is not null)
                errors.Add(new(file, PositionOf(root, ["web", "basic_auth_users", user]), name, $"{name} {fault}"));
        }
    }

    private static TomlPosition PositionOf(TomlTable table, ReadOnlySpan<string> path)
    {
        if (!table.TryGet(path[0], out var entry))
            return table.Position;
        return path.Length > 1 && entry.Value is TomlTable inner ? PositionOf(inner, path[1..]) : entry.Value.Position;
    }
}
