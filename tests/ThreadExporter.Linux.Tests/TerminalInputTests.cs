namespace ThreadExporter.Linux.Tests;

/// <summary><see cref="TerminalInput"/> without a terminal. With one: TerminalTests, in tmux.</summary>
public class TerminalInputTests
{
    [Fact]
    public void Without_a_terminal_the_mode_is_left_alone()
    {
        Assert.SkipWhen(TerminalInput.IsTerminal, "standard input is a terminal");
        TerminalInput input = new();
        Assert.False(input.TryTurnOn());
        input.TurnOff();
    }
}
