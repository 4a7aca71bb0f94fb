using System.Runtime.InteropServices;
using System.Threading.Channels;
using ThreadExporter.Linux;

namespace ThreadExporter.Settings;

/// <summary>
/// Collects reload requests from SIGHUP and HTTP. Created first in Main and kept to the end: without it a SIGHUP ends the process.
/// </summary>
internal sealed class ReloadQueue
{
    private readonly Channel<TaskCompletionSource<ReloadResult>?> _queue = Channel.CreateUnbounded<TaskCompletionSource<ReloadResult>?>();

    public ReloadQueue()
    {
        // SIGHUP and SIGTERM must work even if the parent ignored them. An ignored SIGINT stays ignored: a shell without job control
        // sets it so for a background process, because Ctrl-C at the terminal is not meant for it.
        Signals.RestoreDefaults(Signals.Hangup, Signals.Terminate);
        Hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            _queue.Writer.TryWrite(null);
        });
    }

    /// <summary>Kept referenced: its finalizer would remove the handler.</summary>
    public PosixSignalRegistration Hangup { get; }

    /// <summary>Requests a reload and waits for its result.</summary>
    public Task<ReloadResult> RequestAsync()
    {
        TaskCompletionSource<ReloadResult> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _queue.Writer.TryWrite(completion);
        return completion.Task;
    }

    /// <summary>
    /// Waits for a request and takes all pending ones: one reload started after them serves them all.
    /// </summary>
    public async Task<List<TaskCompletionSource<ReloadResult>>> TakeAsync(CancellationToken cancellation)
    {
        List<TaskCompletionSource<ReloadResult>> waiting = [];
        await _queue.Reader.WaitToReadAsync(cancellation);
        while (_queue.Reader.TryRead(out TaskCompletionSource<ReloadResult>? completion))
        {
            if (completion is not null)
                waiting.Add(completion);
        }
        return waiting;
    }
}
