namespace ThreadExporter.Linux;

public enum UserStatus
{
    Found,
    /// <summary>The lookup succeeded: the user does not exist.</summary>
    NotFound,
    /// <summary>The lookup failed, which says nothing about the user.</summary>
    NoResponse,
}

/// <summary>The result of a user lookup.</summary>
/// <param name="Status">Found, not found, or failed.</param>
/// <param name="Uid">Only when found; else 0.</param>
/// <param name="Reason">Why the lookup failed; else empty.</param>
public readonly record struct UserLookupResult(UserStatus Status, uint Uid, string Reason)
{
    public static UserLookupResult NotFound { get; } = new(UserStatus.NotFound, 0, "");

    public static UserLookupResult Found(uint uid) => new(UserStatus.Found, uid, "");

    public static UserLookupResult NoResponse(string reason) => new(UserStatus.NoResponse, 0, reason);
}
