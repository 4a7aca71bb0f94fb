namespace ThreadExporter.Linux;

/// <summary>
/// Keys from the terminal at standard input, one by one and without echo: termios(3). Signals from the keyboard (Ctrl-C, Ctrl-Z) stay.
/// System.Console is not used for this: it restores the mode after each key, so that keys between two reads are echoed.
/// </summary>
public sealed unsafe class TerminalInput
{
    private const int Input = 0, Output = 1;

    private NativeTerminal.Termios _saved;
    private bool _isOn;

    /// <summary>Whether standard input is a terminal.</summary>
    public static bool IsTerminal => NativeTerminal.isatty(Input) == 1;

    /// <summary>Whether standard output is a terminal.</summary>
    public static bool IsOutputTerminal => NativeTerminal.isatty(Output) == 1;

    /// <summary>The size of the terminal at standard output, in characters: TIOCGWINSZ. False when it is not known; a new terminal may say 0.</summary>
    public static bool TryGetSize(out int columns, out int rows)
    {
        NativeTerminal.Winsize size;
        bool known = NativeTerminal.ioctl(Output, NativeTerminal.TIOCGWINSZ, &size) == 0 && size is { Columns: > 0, Rows: > 0 };
        (columns, rows) = known ? (size.Columns, size.Rows) : (0, 0);
        return known;
    }

    /// <summary>
    /// Switches line editing and echo off; also again, when something else has changed the mode. False when standard input is not a terminal.
    /// </summary>
    public bool TryTurnOn()
    {
        NativeTerminal.Termios mode;
        if (NativeTerminal.tcgetattr(Input, &mode) != 0)
            return false;
        if (!_isOn)
            _saved = mode;
        mode.LocalFlags &= ~(NativeTerminal.ICANON | NativeTerminal.ECHO | NativeTerminal.IEXTEN);
        mode.Characters[NativeTerminal.VMIN] = 1;
        mode.Characters[NativeTerminal.VTIME] = 0;
        return _isOn = Set(&mode);
    }

    /// <summary>Restores the mode that <see cref="TryTurnOn"/> has changed.</summary>
    public void TurnOff()
    {
        if (!_isOn)
            return;
        fixed (NativeTerminal.Termios* mode = &_saved)
            Set(mode);
        _isOn = false;
    }

    /// <summary>Waits until there are keys: poll(2).</summary>
    /// <param name="milliseconds">How long to wait; -1: without end.</param>
    /// <returns>False: none in this time, or a signal has come.</returns>
    public static bool Wait(int milliseconds)
    {
        NativeTerminal.Pollfd input = new() { Descriptor = Input, Events = NativeTerminal.POLLIN };
        return NativeTerminal.poll(&input, 1, milliseconds) > 0;
    }

    /// <summary>Reads keys: read(2).</summary>
    /// <param name="buffer">Receives the bytes.</param>
    /// <returns>The number of bytes; 0: a signal has come; -1: the terminal is gone.</returns>
    public static int Read(Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            nint length = NativeTerminal.read(Input, start, (nuint)buffer.Length);
            // EIO: the process is in the background, or the terminal was closed.
            return length > 0 ? (int)length : length < 0 && Native.Errno is Native.EINTR or Native.EAGAIN ? 0 : -1;
        }
    }

    // A signal may interrupt it (SIGCONT after a stop).
    private static bool Set(NativeTerminal.Termios* mode)
    {
        int result;
        do
        {
            result = NativeTerminal.tcsetattr(Input, NativeTerminal.TCSADRAIN, mode);
        }
        while (result != 0 && Native.Errno == Native.EINTR);
        return result == 0;
    }
}
