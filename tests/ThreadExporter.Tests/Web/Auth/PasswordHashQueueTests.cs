using System.Collections.Concurrent;
using System.Net;
using ThreadExporter.Tests.Support;
using ThreadExporter.Web.Auth;

namespace ThreadExporter.Tests.Web.Auth;

/// <summary>The order in which queued password checks run.</summary>
public sealed class PasswordHashQueueTests : IDisposable
{
    private static readonly IPAddress Flood = IPAddress.Parse("192.0.2.1"), Honest = IPAddress.Parse("192.0.2.2");

    private readonly PasswordHashQueue _queue = new();
    private readonly SemaphoreSlim _gate = new(0);
    private readonly ConcurrentQueue<string> _begun = new();

    public void Dispose()
    {
        _gate.Release(1000);
        _queue.Dispose();
    }

    /// <summary>A check that records its start and ends when the test releases it.</summary>
    private Task<LoginResult?> RunAsync(IPAddress address, string name) => RunUntilAsync(address, name, TestContext.Current.CancellationToken);

    private Task<LoginResult?> RunUntilAsync(IPAddress address, string name, CancellationToken aborted) => _queue.RunAsync(address, () =>
    {
        _begun.Enqueue(name);
        _gate.Wait();
        return LoginResult.Succeeded;
    }, aborted);

    private void UntilBegun(params string[] names) => Eventually.True(() => _begun.SequenceEqual(names), string.Join(' ', names));

    [Fact]
    public async Task An_address_has_one_running_check_and_at_most_four_waiting()
    {
        Task<LoginResult?> first = RunAsync(Flood, "1");
        UntilBegun("1");
        Task<LoginResult?>[] waiting = [.. Enumerable.Range(2, 4).Select(i => RunAsync(Flood, $"{i}"))];
        Assert.Null(await RunAsync(Flood, "6"));
        Assert.Null(await RunAsync(IPAddress.Parse("::ffff:192.0.2.1"), "the same, as IPv6 writes it"));
        UntilBegun("1");
        // Another address gets the second thread at once.
        Task<LoginResult?> honest = RunAsync(Honest, "honest");
        UntilBegun("1", "honest");
        _gate.Release(6);
        Assert.All(await Task.WhenAll([first, honest, .. waiting]), l => Assert.Equal(LoginResult.Succeeded, l));
        Assert.Equal(["1", "honest", "2", "3", "4", "5"], _begun);
        Assert.NotNull(await RunAfterAsync(Flood));
    }

    [Fact]
    public async Task Addresses_take_turns()
    {
        IPAddress other = IPAddress.Parse("2001:db8::1"), neighbour = IPAddress.Parse("2001:db8::2");
        List<Task<LoginResult?>> all = [RunAsync(Flood, "flood 1")];
        UntilBegun("flood 1");
        all.Add(RunAsync(other, "other 1"));
        UntilBegun("flood 1", "other 1");
        all.AddRange([RunAsync(Flood, "flood 2"), RunAsync(Flood, "flood 3"), RunAsync(other, "other 2"), RunAsync(neighbour, "other 3"), RunAsync(Honest, "honest")]);
        _gate.Release(1);
        // Whichever check ends first: the new address is next, not the one with more checks waiting.
        Eventually.True(() => _begun.Count == 3, "a third check");
        Assert.Equal("honest", _begun.Last());
        _gate.Release(6);
        await Task.WhenAll(all);
        Assert.Equal(7, _begun.Count);
    }

    [Fact]
    public async Task At_most_128_wait_in_total()
    {
        List<Task<LoginResult?>> all = [.. Enumerable.Range(1, 2).Select(i => RunAsync(IPAddress.Parse($"10.0.0.{i}"), "running"))];
        UntilBegun("running", "running");
        for (int i = 0; i < 128; i++)
            all.Add(RunAsync(IPAddress.Parse($"10.0.1.{i / 2}"), "waiting"));
        Assert.Null(await RunAsync(Honest, "one too many"));
        _gate.Release(200);
        Assert.All(await Task.WhenAll(all), l => Assert.Equal(LoginResult.Succeeded, l));
    }

    [Fact]
    public async Task A_disconnected_client_is_not_checked_and_frees_its_place()
    {
        using CancellationTokenSource gone = new();
        Task<LoginResult?> first = RunAsync(Flood, "1");
        UntilBegun("1");
        Task<LoginResult?>[] aborted = [.. Enumerable.Range(0, 4).Select(_ => RunUntilAsync(Flood, "gone", gone.Token))];
        await gone.CancelAsync();
        Task<LoginResult?> next = RunAsync(Flood, "2");
        Assert.All(await Task.WhenAll(aborted), Assert.Null);
        _gate.Release(2);
        Assert.Equal([LoginResult.Succeeded, LoginResult.Succeeded], await Task.WhenAll(first, next));
        Assert.Equal(["1", "2"], _begun);
    }

    [Fact]
    public async Task A_check_that_fails_is_reported_and_the_thread_continues()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => _queue.RunAsync(Flood, () => throw new InvalidOperationException("a fault"), TestContext.Current.CancellationToken));
        Assert.NotNull(await RunAfterAsync(Flood));
    }

    private Task<LoginResult?> RunAfterAsync(IPAddress address)
    {
        _gate.Release();
        return RunAsync(address, "after");
    }
}
