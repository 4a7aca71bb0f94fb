using System.Globalization;
using ThreadExporter.Client;
using ThreadExporter.HotThreads;
using ThreadExporter.Web.Pages;

namespace ThreadExporter.Top;

/// <summary>Asks a daemon, which may be on another host.</summary>
internal sealed class ApiSource : ITopSource
{
    // A snapshot follows the first request in a quarter of a second.
    private static readonly TimeSpan WarmUpInterval = TimeSpan.FromMilliseconds(300);

    private readonly ApiClient _client;
    private readonly DateTimeOffset? _at;
    private readonly CancellationTokenSource _stopped = new();

    /// <param name="client">It is disposed of with the source.</param>
    /// <param name="at">The recorded moment to show; null: live.</param>
    public ApiSource(ApiClient client, DateTimeOffset? at) => (_client, _at) = (client, at);

    public string Name => _client.Url.Authority;

    public string? Notice => null;

    public void Start(TimeSpan refresh, bool isQuick, Action<TopReading> publish, Action<Exception> fail) =>
        Task.Run(() => RunAsync(refresh, isQuick, publish, fail));

    private async Task RunAsync(TimeSpan refresh, bool isQuick, Action<TopReading> publish, Action<Exception> fail)
    {
        try
        {
            // A recorded moment does not change.
            if (_at is { } at)
                publish(await ReadAsync($"api/v1/hot?n={HotThreadTracker.MaxThreads}&at={Uri.EscapeDataString(PointInTime.ForApi(at))}"));
            else
                await FollowAsync(refresh, isQuick, publish);
        }
        catch (OperationCanceledException) when (_stopped.IsCancellationRequested)
        {
        }
        // The loop that shows the readings ends with it, and restores the terminal first.
        catch (Exception e)
        {
            fail(e);
        }
    }

    private async Task FollowAsync(TimeSpan refresh, bool isQuick, Action<TopReading> publish)
    {
        string path = string.Create(CultureInfo.InvariantCulture, $"api/v1/hot?n={HotThreadTracker.MaxThreads}");
        while (true)
        {
            TopReading reading = await ReadAsync(path);
            bool isWarmingUp = reading.Response is { WarmingUp: true };
            // The first request starts the measurement, whose figures are for an interval of their own.
            if (!isWarmingUp && (isQuick || reading.Error is not null))
                publish(reading);
            isQuick |= !isWarmingUp;
            await Task.Delay(isWarmingUp ? WarmUpInterval : refresh, _stopped.Token);
        }
    }

    private async Task<TopReading> ReadAsync(string path)
    {
        ApiReply reply = await _client.GetAsync(path, _stopped.Token);
        if (reply.Error is not null)
            return new TopReading(null, reply.Error);
        HotThreadsResponse? response = Answers.Read(reply.Body, AnswerJson.Default.HotThreadsResponse);
        if (!Answers.IsComplete(response))
            return new TopReading(null, $"{_client.Url} does not answer as thread-exporter does: is this the right port?");
        return new TopReading(response, null) { Recorded = _at is null ? null : Answers.Read(reply.Body, AnswerJson.Default.RecordedResponse)?.Recorded };
    }

    public void Dispose()
    {
        _stopped.Cancel();
        _client.Dispose();
        _stopped.Dispose();
    }
}
