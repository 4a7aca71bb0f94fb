using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Text;
using ThreadExporter.Web.Auth;

namespace ThreadExporter.Tests.Web.Auth;

/// <summary>What is hashed and what is cached. The hash function belongs to the test: it counts calls and waits.</summary>
public sealed class PasswordVerifierTests : IDisposable
{
    private static readonly ImmutableDictionary<string, string> Users =
        ImmutableDictionary<string, string>.Empty.Add("jane", "hash of jane's").Add("joe", "hash of joe's");

    private readonly PasswordHashQueue _slots = new();
    private readonly ConcurrentQueue<string> _hashed = new();
    private readonly PasswordVerifier _check;

    public PasswordVerifierTests() => _check = new PasswordVerifier(_slots, (password, hash) =>
    {
        _hashed.Enqueue(hash);
        return hash == "hash of " + Encoding.UTF8.GetString(password);
    });

    public void Dispose() => _slots.Dispose();

    private Task<LoginResult> LoginAsync(string user, string password, ImmutableDictionary<string, string>? users = null) =>
        _check.CheckAsync(users ?? Users, new BasicCredentials(user, Encoding.UTF8.GetBytes(password)), IPAddress.Loopback, TestContext.Current.CancellationToken);

    [Fact]
    public async Task A_right_password_is_hashed_once()
    {
        Assert.Equal(LoginResult.Succeeded, await LoginAsync("jane", "jane's"));
        for (int i = 0; i < 100; i++)
            Assert.Equal(LoginResult.Cached, await LoginAsync("jane", "jane's"));
        Assert.Single(_hashed);
        Assert.Equal((1, 100, 0), (_check.Ended(LoginResult.Succeeded), _check.Ended(LoginResult.Cached), _check.Ended(LoginResult.Failed)));
    }

    [Fact]
    public async Task Simultaneous_first_logins_are_hashed_once()
    {
        LoginResult[] logins = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => LoginAsync("jane", "jane's")));
        Assert.Equal(1, logins.Count(l => l == LoginResult.Succeeded));
        Assert.Equal(3, logins.Count(l => l == LoginResult.Cached));
        Assert.Single(_hashed);
    }

    [Fact]
    public async Task A_wrong_password_is_hashed_every_time_and_spoils_nothing()
    {
        Assert.Equal(LoginResult.Succeeded, await LoginAsync("jane", "jane's"));
        for (int i = 0; i < 3; i++)
            Assert.Equal(LoginResult.Failed, await LoginAsync("jane", "joe's"));
        Assert.Equal(LoginResult.Cached, await LoginAsync("jane", "jane's"));
        Assert.Equal(LoginResult.Failed, await LoginAsync("joe", "jane's"));
        Assert.Equal(5, _hashed.Count);
    }

    [Fact]
    public async Task An_unknown_user_costs_one_users_hash_always_the_same_one()
    {
        // Also with the right password of another user.
        foreach (string password in (string[])["jane's", "joe's", "", "x"])
            Assert.Equal(LoginResult.Failed, await LoginAsync("nobody", password));
        Assert.Equal(4, _hashed.Count);
        Assert.Single(_hashed.Distinct());
        Assert.Contains(_hashed.First(), Users.Values);
        // Over many names every hash is used.
        for (int i = 0; i < 60; i++)
            await LoginAsync($"nobody {i}", "x");
        Assert.Equal(2, _hashed.Distinct().Count());
        Assert.Equal(64, _hashed.Count);
    }

    [Fact]
    public async Task A_user_that_is_changed_or_taken_out_is_no_longer_known()
    {
        Assert.Equal(LoginResult.Succeeded, await LoginAsync("jane", "jane's"));
        ImmutableDictionary<string, string> changed = Users.SetItem("jane", "hash of new"), without = Users.Remove("jane");
        Assert.Equal(LoginResult.Failed, await LoginAsync("jane", "jane's", changed));
        Assert.Equal(LoginResult.Failed, await LoginAsync("jane", "jane's", without));
        Assert.Equal(LoginResult.Succeeded, await LoginAsync("jane", "new", changed));
        Assert.Equal(LoginResult.Failed, await LoginAsync("jane", "jane's", changed));
    }

    [Fact]
    public async Task Names_and_passwords_are_not_confused()
    {
        ImmutableDictionary<string, string> users = Users.Add("jan", "hash of ejane's");
        Assert.Equal(LoginResult.Succeeded, await LoginAsync("jane", "jane's", users));
        Assert.Equal(LoginResult.Succeeded, await LoginAsync("jan", "ejane's", users));
        Assert.Equal(LoginResult.Failed, await LoginAsync("Jane", "jane's", users));
    }
}
