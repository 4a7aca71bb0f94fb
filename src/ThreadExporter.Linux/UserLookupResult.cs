namespace ThreadExporter.Linux;

public enum UserStatus
{
    Found,
    /// <summary>The user directory has answered: there is no such user.</summary>
    NotFound,
    /// <summary>It could not be asked, which says nothing about the user.</summary>
    NoResponse,
}

/// <summary>How the lookup of a user ended.</summary>
/// <param name="Status">Found, not found, or not answered.</param>
/// <param name="Uid">Only when found; else 0.</param>
/// <param name="Reason">Why there was no answer; else empty.</param>
public readonly record struct UserLookupResult(UserStatus Status, uint Uid, string Reason)
{
    public static UserLookupResult NotFound { get; } = new(UserStatus.NotFound, 0, "");

    public static UserLookupResult Found(uint uid) => new(UserStatus.Found, uid, "");

    public static UserLookupResult NoResponse(string reason) => new(UserStatus.NoResponse, 0, reason);
}
