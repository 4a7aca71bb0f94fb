using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using ThreadExporter.Linux;

namespace ThreadExporter.Top;

/// <summary>What the command line of <c>top</c> says about the output.</summary>
/// <param name="Refresh">Time between two refreshes.</param>
/// <param name="Count">Refreshes until the end; null: without end.</param>
/// <param name="IsBatch">One table after the other, without control sequences.</param>
/// <param name="IsUtf8">False: ASCII only.</param>
/// <param name="HasColor">False: no colours.</param>
internal sealed record TopOptions(TimeSpan Refresh, int? Count, bool IsBatch, bool IsUtf8, bool HasColor);

/// <summary>
/// The loop: readings, keys and signals come as events from other threads into one queue, and only the loop changes the view and writes. It
/// ends with the key q, a signal, after the last refresh, or with an error.
/// </summary>
internal sealed class TopSession(ITopSource source, TopOptions options, TimeProvider time)
{
    private readonly Channel<TopEvent> _events = Channel.CreateUnbounded<TopEvent>(new UnboundedChannelOptions { SingleReader = true });
    private readonly TopView _view = new();
    private readonly TopScreen _screen = new(ScreenText.Of(source.Name, options.IsUtf8), source.Notice is { } notice ? ScreenText.Of(notice, options.IsUtf8) : null, options.IsUtf8,
        new ScreenWriter(isTerminal: !options.IsBatch, options.HasColor));
    private int _shown;

    private abstract record TopEvent;

    private sealed record ReadingTaken(TopReading Reading) : TopEvent;

    private sealed record KeyPressed(TerminalKey Key) : TopEvent;

    private sealed record Resized : TopEvent;

    private sealed record Suspended : TopEvent;

    private sealed record Continued : TopEvent;

    private sealed record Stopped : TopEvent;

    private sealed record Failed(Exception Exception) : TopEvent;

    /// <summary>Runs to the end.</summary>
    /// <returns>Null, or why nothing could be shown, as one line.</returns>
    public async Task<string?> RunAsync()
    {
        using PosixSignalRegistration interrupt = Register(PosixSignal.SIGINT, new Stopped());
        using PosixSignalRegistration terminate = Register(PosixSignal.SIGTERM, new Stopped());
        using PosixSignalRegistration quit = Register(PosixSignal.SIGQUIT, new Stopped());
        using PosixSignalRegistration hangup = Register(PosixSignal.SIGHUP, new Stopped());
        source.Start(options.Refresh, isQuick: !options.IsBatch, reading => Post(new ReadingTaken(reading)), e => Post(new Failed(e)));
        try
        {
            return options.IsBatch ? await RunBatchAsync() : await RunTerminalAsync();
        }
        // The reader of the output has ended: head(1) behind a pipe, a terminal that was closed.
        catch (IOException) when (_shown > 0)
        {
            return null;
        }
    }

    private async Task<string?> RunBatchAsync()
    {
        await using FileStream output = TerminalScreen.OpenOutput();
        await using StreamWriter writer = new(output) { NewLine = "\n" };
        while (true)
        {
            (bool ends, string? error) = Handle(await _events.Reader.ReadAsync(), rows: 0);
            if (_view.Error is { } problem && !ends)
            {
                // It counts as a refresh, so that a script with -n comes to its end.
                await Console.Error.WriteLineAsync($"thread-exporter: {problem}");
                _shown++;
            }
            else if (_view.Response is not null && !ends)
            {
                await PrintAsync(writer);
            }
            if (ends || _shown >= options.Count)
                return error;
        }
    }

    private async Task PrintAsync(StreamWriter writer)
    {
        if (_shown++ > 0)
            await writer.WriteLineAsync();
        foreach (string line in _screen.RenderBatch(_view))
            await writer.WriteLineAsync(line);
        await writer.FlushAsync();
    }

    private async Task<string?> RunTerminalAsync()
    {
        using TerminalScreen terminal = new();
        using PosixSignalRegistration resize = PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => Post(new Resized()));
        using PosixSignalRegistration suspend = Register(PosixSignal.SIGTSTP, new Suspended());
        // Cancelled: otherwise the runtime sets the terminal's mode as it was at the start.
        using PosixSignalRegistration resume = Register(PosixSignal.SIGCONT, new Continued());
        terminal.Enter();
        terminal.ReadKeys(key => Post(new KeyPressed(key)), () => Post(new Stopped()));
        Draw(terminal);
        while (true)
        {
            // All that has come meanwhile is one change of the screen.
            TopEvent? next = await _events.Reader.ReadAsync();
            do
            {
                if (next is Suspended)
                    Suspend(terminal);
                else if (next is Continued)
                    terminal.Enter();
                (bool ends, string? error) = Handle(next, TopScreen.TableRows(TerminalScreen.Size.Rows));
                if (ends)
                    return error;
                _shown += next is ReadingTaken { Reading.Response: not null } ? 1 : 0;
            }
            while (_events.Reader.TryRead(out next));
            Draw(terminal);
            if (_shown >= options.Count)
                return null;
        }
    }

    /// <summary>Changes the view.</summary>
    /// <returns>Whether the command ends, and with which error; null: none.</returns>
    private (bool Ends, string? Error) Handle(TopEvent next, int rows)
    {
        switch (next)
        {
            case Stopped:
                return (true, null);
            case Failed failed:
                ExceptionDispatchInfo.Throw(failed.Exception);
                break;
            case KeyPressed pressed:
                return (!_view.Press(pressed.Key, rows), null);
            case ReadingTaken { Reading: { } reading }:
                TopReading safe = reading.Response is null ? reading : reading with { Response = ScreenText.Of(reading.Response, options.IsUtf8) };
                _view.Take(safe, time.GetLocalNow());
                // A daemon that answers later is waited for; one that never did is probably not there.
                return (_view.Response is null && reading.Error is not null, reading.Error);
        }
        return (false, null);
    }

    private void Draw(TerminalScreen terminal)
    {
        (int columns, int rows) = TerminalScreen.Size;
        terminal.Draw(_screen.Render(_view, columns, rows));
    }

    // As the shell expects it of Ctrl-Z: it stops with the terminal as it was. fg sends SIGCONT.
    private static void Suspend(TerminalScreen terminal)
    {
        terminal.Leave();
        Signals.StopThisProcess();
    }

    private PosixSignalRegistration Register(PosixSignal signal, TopEvent posted) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        Post(posted);
    });

    private void Post(TopEvent posted) => _events.Writer.TryWrite(posted);
}
