using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ThreadExporter.Linux;

namespace ThreadExporter.Web.Auth;

/// <summary>
/// Checks passwords on two threads of the lowest priority, so that password guessing takes no CPU from scrapes. Client addresses are
/// served round-robin, each with one check at a time and a few waiting: a flooding address delays only itself, and the first login
/// of another address waits for at most one check per flooding address.
/// </summary>
internal sealed class PasswordHashQueue : IDisposable
{
    private const int Threads = 2;
    private const int MaxWaitingPerAddress = 4;
    private const int MaxWaiting = 128;
    private const int StackSize = 256 * 1024;

    private readonly object _gate = new();
    private readonly Dictionary<IPAddress, Client> _clients = [];
    private readonly Queue<Client> _turns = new();
    private int _waiting;
    private int _threads;
    private bool _disposed;

    /// <summary>
    /// Runs a check. Null: too many are waiting, or the client disconnected. After a check that ends in
    /// <see cref="LoginResult.Failed"/> its thread sleeps for as long as the check took.
    /// </summary>
    public Task<LoginResult?> RunAsync(IPAddress address, Func<LoginResult> check, CancellationToken aborted)
    {
        Job job = new(check, aborted);
        lock (_gate)
        {
            IPAddress source = SourceOf(address);
            Client client = _clients.TryGetValue(source, out Client? known) ? known : new Client(source);
            Prune(client);
            if (_disposed || client.Jobs.Count >= MaxWaitingPerAddress || _waiting >= MaxWaiting)
                return Task.FromResult<LoginResult?>(null);
            _clients[source] = client;
            client.Jobs.Add(job);
            _waiting++;
            if (!client.HasTurn)
                GiveTurn(client);
            // Threads start with the first check: without users none are needed.
            for (; _threads < Threads; _threads++)
                new Thread(Run, StackSize) { Name = "crypt", IsBackground = true }.Start();
        }
        return job.Result.Task;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>The address that is limited. For IPv6 the /64 prefix, because a client usually controls all of it.</summary>
    private static IPAddress SourceOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        byte[] bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }

    /// <summary>Removes jobs whose client has disconnected.</summary>
    private void Prune(Client client)
    {
        foreach (Job aborted in client.Jobs.Where(j => j.IsAborted).ToList())
        {
            client.Jobs.Remove(aborted);
            aborted.Result.SetResult(null);
            _waiting--;
        }
    }

    private void GiveTurn(Client client)
    {
        client.HasTurn = true;
        _turns.Enqueue(client);
        Monitor.Pulse(_gate);
    }

    private void Run()
    {
        // If the priority cannot be lowered, there are still only two threads.
        ThisProcess.SetLowestPriority();
        while (Next() is var (client, job))
        {
            long start = Stopwatch.GetTimestamp();
            LoginResult? login = null;
            try
            {
                if (!job.IsAborted)
                    login = job.Check();
                job.Result.SetResult(login);
            }
            // The request reports the error; the thread continues.
            catch (Exception e)
            {
                job.Result.SetException(e);
            }
            // A container's CPU quota is consumed by low-priority threads too.
            if (login == LoginResult.Failed)
                Thread.Sleep(Stopwatch.GetElapsedTime(start));
            EndTurn(client);
        }
    }

    private (Client, Job)? Next()
    {
        lock (_gate)
        {
            while (true)
            {
                while (_turns.Count == 0 && !_disposed)
                    Monitor.Wait(_gate);
                if (_disposed)
                    return null;
                Client client = _turns.Dequeue();
                if (client.Jobs.Count == 0)
                {
                    EndTurn(client);
                    continue;
                }
                Job job = client.Jobs[0];
                client.Jobs.RemoveAt(0);
                _waiting--;
                return (client, job);
            }
        }
    }

    private void EndTurn(Client client)
    {
        lock (_gate)
        {
            client.HasTurn = false;
            if (client.Jobs.Count > 0)
                GiveTurn(client);
            else
                _clients.Remove(client.Source);
        }
    }

    private sealed class Client(IPAddress source)
    {
        public IPAddress Source { get; } = source;

        public List<Job> Jobs { get; } = [];

        /// <summary>Is in the queue, or has a check running.</summary>
        public bool HasTurn { get; set; }
    }

    private sealed class Job(Func<LoginResult> check, CancellationToken aborted)
    {
        public Func<LoginResult> Check { get; } = check;

        public TaskCompletionSource<LoginResult?> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsAborted => aborted.IsCancellationRequested;
    }
}
