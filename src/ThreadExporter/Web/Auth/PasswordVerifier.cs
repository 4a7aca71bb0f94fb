using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace ThreadExporter.Web.Auth;

/// <summary>
/// Checks logins. A correct password is cached as a keyed digest (HMAC with a random key of this process), so that a server that
/// scrapes every few seconds costs one hash in total and does not wait while other clients guess passwords.
/// </summary>
/// <param name="hashQueue">Runs the hashing.</param>
/// <param name="verify">Compares a password with a hash: <see cref="Configuration.PasswordHash.Verify"/>.</param>
internal sealed class PasswordVerifier(PasswordHashQueue hashQueue, PasswordVerifier.Verifier verify)
{
    // Created at the first login: without users and TLS the daemon needs no OpenSSL on the host.
    private readonly Lazy<byte[]> _key = new(() => RandomNumberGenerator.GetBytes(32));
    private readonly ConcurrentDictionary<string, (string Hash, byte[] Digest)> _known = new(StringComparer.Ordinal);
    private readonly long[] _ended = new long[Enum.GetValues<LoginResult>().Length];

    public delegate bool Verifier(ReadOnlySpan<byte> password, string hash);

    /// <summary>Number of logins with this result.</summary>
    public long Ended(LoginResult login) => Volatile.Read(ref _ended[(int)login]);

    /// <param name="users">Names and hashes; not empty.</param>
    /// <param name="credentials">User name and password of the request.</param>
    /// <param name="address">Address of the client.</param>
    /// <param name="aborted">Cancelled when the client disconnects.</param>
    public async Task<LoginResult> CheckAsync(ImmutableDictionary<string, string> users, BasicCredentials credentials, IPAddress address, CancellationToken aborted)
    {
        byte[] digest = Digest(credentials.User, credentials.Password);
        LoginResult login = IsKnown(users, credentials.User, digest)
            ? LoginResult.Cached
            : await hashQueue.RunAsync(address, () => Hash(users, credentials, digest), aborted) ?? LoginResult.Throttled;
        Interlocked.Increment(ref _ended[(int)login]);
        return login;
    }

    private LoginResult Hash(ImmutableDictionary<string, string> users, BasicCredentials credentials, byte[] digest)
    {
        // Another request with the same password may have been checked in the meantime.
        if (IsKnown(users, credentials.User, digest))
            return LoginResult.Cached;
        bool exists = users.TryGetValue(credentials.User, out string? hash);
        // An unknown name must take as long as a known one. Each name always maps to the same user's hash, because hashes may differ in cost.
        hash ??= users.Values.Order(StringComparer.Ordinal).ElementAt((int)(BinaryPrimitives.ReadUInt32LittleEndian(Digest(credentials.User, [])) % users.Count));
        if (!verify(credentials.Password, hash) || !exists)
            return LoginResult.Failed;
        foreach (string removed in _known.Keys.Where(u => !users.ContainsKey(u)))
            _known.TryRemove(removed, out _);
        _known[credentials.User] = (hash, digest);
        return LoginResult.Succeeded;
    }

    /// <summary>Whether the password is in the cache. A reload that changes a user's hash invalidates the entry.</summary>
    private bool IsKnown(ImmutableDictionary<string, string> users, string user, byte[] digest) =>
        users.TryGetValue(user, out string? hash) && _known.TryGetValue(user, out (string Hash, byte[] Digest) known)
        && known.Hash == hash && CryptographicOperations.FixedTimeEquals(known.Digest, digest);

    private byte[] Digest(string user, ReadOnlySpan<byte> password)
    {
        // A name contains no NUL, so different pairs never yield the same text.
        byte[] name = Encoding.UTF8.GetBytes(user + '\0');
        byte[] text = [.. name, .. password];
        return HMACSHA256.HashData(_key.Value, text);
    }
}
