using System.Runtime.InteropServices;
using System.Threading.Channels;
using ThreadExporter.Linux;

namespace ThreadExporter.Settings;

/// <summary>
/// Takes reload requests from SIGHUP and from the web. Made first thing in Main, kept to the end: without it a SIGHUP kills the process.
/// </summary>
internal sealed class ReloadQueue
{
    private readonly Channel<TaskCompletionSource<ReloadResult>?> _queue = Channel.CreateUnbounded<TaskCompletionSource<ReloadResult>?>();

    public ReloadQueue()
    {
        // Reload and stop work however the process was started. SIGINT stays ignored where a shell without job control has left it so for
        // a process in the background: Ctrl-C at its terminal is not meant for it.
        Signals.RestoreDefaults(Signals.Hangup, Signals.Terminate);
        Hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            _queue.Writer.TryWrite(null);
        });
    }

    /// <summary>Held, because it takes itself away when it is collected.</summary>
    public PosixSignalRegistration Hangup { get; }

    /// <summary>Asks for a reload and waits for its result.</summary>
    public Task<ReloadResult> RequestAsync()
    {
        TaskCompletionSource<ReloadResult> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _queue.Writer.TryWrite(answer);
        return answer.Task;
    }

    /// <summary>
    /// Waits for a request and takes all that have come by then: one reload that begins after them answers them all.
    /// </summary>
    public async Task<List<TaskCompletionSource<ReloadResult>>> TakeAsync(CancellationToken cancellation)
    {
        List<TaskCompletionSource<ReloadResult>> waiting = [];
        await _queue.Reader.WaitToReadAsync(cancellation);
        while (_queue.Reader.TryRead(out TaskCompletionSource<ReloadResult>? answer))
        {
            if (answer is not null)
                waiting.Add(answer);
        }
        return waiting;
    }
}
