using System.Collections.Immutable;
using ThreadExporter.Linux;
using ThreadExporter.Toml;

namespace ThreadExporter.Configuration;

/// <summary>What a configuration needs from the host. An error has the position of the key that has the need.</summary>
internal static class HostRequirements
{
    /// <summary>Reads the files of <c>[web.tls]</c> when TLS is on, and checks that libcrypt supports the hash types of the users.</summary>
    public static TlsFiles? Check(WebConfig web, TomlTable root, string file, List<ConfigError> errors)
    {
        // Without OpenSSL the framework would terminate the process at the first use of it.
        string? openSsl = web.Tls.IsOn || !web.BasicAuthUsers.IsEmpty ? GetOpenSslError() : null;
        CheckUsers(web, root, file, openSsl, errors);
        // When one of the two is invalid or missing, that has been reported.
        if (!web.Tls.IsOn || web.Tls.KeyFile.Length == 0)
            return null;
        if (openSsl is not null)
        {
            errors.Add(new(file, PositionOf(root, TlsFiles.CertKey.Split('.')), TlsFiles.CertKey, $"{TlsFiles.CertKey} {openSsl}"));
            return null;
        }
        TlsFiles? files = TlsFiles.Load(web.Tls, out ImmutableArray<TlsError> tlsErrors);
        errors.AddRange(tlsErrors.Select(e => new ConfigError(file, PositionOf(root, e.Key.Split('.')), e.Key, e.ToString())));
        return files;
    }

    private static void CheckUsers(WebConfig web, TomlTable root, string file, string? openSsl, List<ConfigError> errors)
    {
        // One of each hash type: the type is the part before the second dollar sign.
        IEnumerable<KeyValuePair<string, string>> users = web.BasicAuthUsers.OrderBy(u => u.Key, StringComparer.Ordinal);
        foreach ((string user, string hash) in users.DistinctBy(u => u.Value[..u.Value.IndexOf('$', 1)]))
        {
            string name = $"web.basic_auth_users.{ConfigText.Key(user)}";
            string? error = Crypt.IsAvailable
                ? openSsl
                : "cannot be checked: this system has no libcrypt.so.1 or libcrypt.so.2 (package libxcrypt or libcrypt1)";
            if (error is null && !PasswordHash.IsSupported(hash))
                error = "cannot be checked: this system's libcrypt does not support this hash type";
            if (error is not null)
                errors.Add(new(file, PositionOf(root, ["web", "basic_auth_users", user]), name, $"{name} {error}"));
        }
    }

    private static string? GetOpenSslError() =>
        SharedLibrary.Exists("libssl.so.3", "libssl.so.1.1") ? null : "needs OpenSSL: this system has no libssl.so.3 (package openssl-libs or libssl3)";

    private static TomlPosition PositionOf(TomlTable table, ReadOnlySpan<string> path)
    {
        if (!table.TryGet(path[0], out TomlEntry? entry))
            return table.Position;
        return path.Length > 1 && entry.Value is TomlTable inner ? PositionOf(inner, path[1..]) : entry.Value.Position;
    }
}
