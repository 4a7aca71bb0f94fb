using System.Collections.Frozen;

namespace ThreadExporter.Configuration;

/// <summary>
/// Keys that are checked but have no effect in this version, so that any value but the default is an error rather than a
/// promise. Whoever makes a key work deletes its line here and its mark in the shipped file and in docs/configuration.md.
/// </summary>
internal static class NotYetAvailable
{
    private static readonly FrozenSet<string> Keys = FrozenSet.ToFrozenSet(
    [
        "web.tls.cert_file",
        "web.tls.key_file",
        "web.tls.client_auth_type",
        "web.tls.client_ca_file",
        "web.tls.min_version",
        "web.basic_auth_users",
    ]);

    public static bool Contains(string key) => Keys.Contains(key);
}
