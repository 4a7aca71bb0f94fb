using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace ThreadExporter.Web.Auth;

/// <summary>How a login ended; also the values of a metric's label.</summary>
internal enum LoginResult
{
    /// <summary>Right, and known to be right without hashing.</summary>
    Cached,
    /// <summary>Right.</summary>
    Succeeded,
    /// <summary>No such user, or not the password.</summary>
    Failed,
    /// <summary>Not looked at: too many wait already.</summary>
    Throttled,
}

/// <summary>
/// Decides logins. A password that was right is remembered as a digest under a key of this process, so that a server that
/// scrapes every few seconds pays for a hash once, and is answered at once while others guess.
/// </summary>
/// <param name="slots">Where hashing happens.</param>
/// <param name="verify">Whether a password has a hash: <see cref="Configuration.PasswordHash.Verify"/>.</param>
internal sealed class PasswordVerifier(PasswordHashQueue slots, PasswordVerifier.Verifier verify)
{
    // Not before the first login: without users and TLS the daemon runs on a host that has no OpenSSL.
    private readonly Lazy<byte[]> _key = new(() => RandomNumberGenerator.GetBytes(32));
    private readonly ConcurrentDictionary<string, (string Hash, byte[] Digest)> _known = new(StringComparer.Ordinal);
    private readonly long[] _ended = new long[Enum.GetValues<LoginResult>().Length];

    public delegate bool Verifier(ReadOnlySpan<byte> password, string hash);

    /// <summary>How many logins have ended so.</summary>
    public long Ended(LoginResult login) => Volatile.Read(ref _ended[(int)login]);

    /// <param name="users">Names and hashes; not empty.</param>
    /// <param name="given">Who says to be whom.</param>
    /// <param name="address">Where the request comes from.</param>
    /// <param name="aborted">The client has gone.</param>
    public async Task<LoginResult> CheckAsync(ImmutableDictionary<string, string> users, BasicCredentials given, IPAddress address, CancellationToken aborted)
    {
        byte[] digest = Digest(given.User, given.Password);
        LoginResult login = IsKnown(users, given.User, digest)
            ? LoginResult.Cached
            : await slots.RunAsync(address, () => Hash(users, given, digest), aborted) ?? LoginResult.Throttled;
        Interlocked.Increment(ref _ended[(int)login]);
        return login;
    }

    private LoginResult Hash(ImmutableDictionary<string, string> users, BasicCredentials given, byte[] digest)
    {
        // Another request with the same password may have come before.
        if (IsKnown(users, given.User, digest))
            return LoginResult.Cached;
        bool exists = users.TryGetValue(given.User, out string? hash);
        // An unknown name takes as long as that of a user, and always the same one: users' hashes may differ in cost.
        hash ??= users.Values.Order(StringComparer.Ordinal).ElementAt((int)(BinaryPrimitives.ReadUInt32LittleEndian(Digest(given.User, [])) % users.Count));
        if (!verify(given.Password, hash) || !exists)
            return LoginResult.Failed;
        foreach (string gone in _known.Keys.Where(u => !users.ContainsKey(u)))
            _known.TryRemove(gone, out _);
        _known[given.User] = (hash, digest);
        return LoginResult.Succeeded;
    }

    /// <summary>A reload that changes a user's hash makes what was known of the user worthless.</summary>
    private bool IsKnown(ImmutableDictionary<string, string> users, string user, byte[] digest) =>
        users.TryGetValue(user, out string? hash) && _known.TryGetValue(user, out (string Hash, byte[] Digest) known)
        && known.Hash == hash && CryptographicOperations.FixedTimeEquals(known.Digest, digest);

    private byte[] Digest(string user, ReadOnlySpan<byte> password)
    {
        // A name holds no NUL, so no two pairs make one text.
        byte[] name = Encoding.UTF8.GetBytes(user + '\0');
        byte[] text = [.. name, .. password];
        return HMACSHA256.HashData(_key.Value, text);
    }
}
