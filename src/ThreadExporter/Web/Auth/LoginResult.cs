namespace ThreadExporter.Web.Auth;

/// <summary>Result of a login; also the values of a metric label.</summary>
internal enum LoginResult
{
    /// <summary>Correct, found in the cache: nothing was hashed.</summary>
    Cached,
    /// <summary>Correct.</summary>
    Succeeded,
    /// <summary>Unknown user or wrong password.</summary>
    Failed,
    /// <summary>Not checked: too many logins are pending.</summary>
    Throttled,
}
