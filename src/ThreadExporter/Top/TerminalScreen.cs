using System.Text;
using Microsoft.Win32.SafeHandles;
using ThreadExporter.Linux;

namespace ThreadExporter.Top;

/// <summary>
/// Owns the terminal while the threads are shown: its alternate screen, its cursor, its mode. <see cref="Leave"/> restores all three, and may be
/// called at any time.
/// </summary>
internal sealed class TerminalScreen : IDisposable
{
    // xterm's private modes: alternate screen on and its contents saved, cursor hidden, no line wrap. Their ends are in the other order.
    private const string EnterSequence = "\e[?1049h\e[?25l\e[?7l\e[0m\e[2J", LeaveSequence = "\e[0m\e[?7h\e[?25h\e[?1049l";

    private const int DefaultColumns = 80, DefaultRows = 24;

    private readonly FileStream _output = OpenOutput();
    private readonly TerminalInput _input = new();
    private bool _isEntered;
    private volatile bool _isClosed;

    /// <summary>The size of the terminal now. A terminal that does not know it gets the usual one.</summary>
    public static (int Columns, int Rows) Size =>
        TerminalInput.TryGetSize(out int columns, out int rows) ? (columns, rows) : (DefaultColumns, DefaultRows);

    /// <summary>Standard output. The stream of System.Console hides that its reader has ended.</summary>
    /// <exception cref="IOException">Thrown by a write when the reader of a pipe has ended, or the terminal is gone.</exception>
    public static FileStream OpenOutput() => new(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);

    /// <summary>Takes the terminal; also again, after something else has changed its mode.</summary>
    public void Enter()
    {
        _input.TryTurnOn();
        _isEntered = true;
        Write(EnterSequence);
    }

    /// <summary>Replaces the screen in one write, so that it does not flicker. Does nothing while the terminal is not taken.</summary>
    /// <param name="lines">As many as the screen has, with control sequences for colours.</param>
    public void Draw(string[] lines)
    {
        // Each line is erased before it is written: afterwards, a full one would lose its last character.
        if (_isEntered)
            Write("\e[H\e[2K" + string.Join("\r\n\e[2K", lines) + "\e[0m");
    }

    /// <summary>Gives the terminal back as it was.</summary>
    public void Leave()
    {
        if (!_isEntered)
            return;
        _isEntered = false;
        try
        {
            Write(LeaveSequence);
        }
        // The terminal was closed.
        catch (IOException)
        {
        }
        _input.TurnOff();
    }

    /// <summary>Reads keys on a thread of its own until the screen is disposed of or the terminal is gone: what is typed after that is for the shell.</summary>
    /// <param name="press">Receives each key.</param>
    /// <param name="end">The terminal is gone.</param>
    public void ReadKeys(Action<TerminalKey> press, Action end) =>
        new Thread(() => ReadAll(press, end)) { Name = "keys", IsBackground = true }.Start();

    private void ReadAll(Action<TerminalKey> press, Action end)
    {
        // The rest of a key's bytes follows at once; only over a slow line it takes a moment.
        const int Moment = 50;
        byte[] buffer = new byte[256];
        int length = 0;
        while (true)
        {
            bool isReady = TerminalInput.Wait(length == 0 ? -1 : Moment);
            if (_isClosed)
                return;
            int added = isReady ? TerminalInput.Read(buffer.AsSpan(length)) : 0;
            if (added < 0)
                break;
            length += added;
            int used = 0;
            while (TerminalKey.Parse(buffer.AsSpan(used, length - used), isAll: added == 0, out TerminalKey? key) is > 0 and int taken)
            {
                used += taken;
                if (key is { } pressed)
                    press(pressed);
            }
            buffer.AsSpan(used, length - used).CopyTo(buffer);
            length -= used;
        }
        end();
    }

    private void Write(string text)
    {
        _output.Write(Encoding.UTF8.GetBytes(text));
        _output.Flush();
    }

    public void Dispose()
    {
        _isClosed = true;
        Leave();
        _output.Dispose();
    }
}
