using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ThreadExporter.Linux;

namespace ThreadExporter;

/// <summary>
/// What the tests start gets the default action of every signal, also under nohup(1) and in the background of a script, where SIGHUP or SIGINT
/// and SIGQUIT are ignored: an ignored signal stays ignored over execve(2), one with a handler does not. The handler does nothing, so that
/// the tests themselves still ignore the signal.
/// </summary>
internal static class InheritedSignals
{
    // Kept: a registration ends when it is collected.
    private static readonly List<PosixSignalRegistration> Kept = [];

    /// <summary>The signals that were ignored when the tests started.</summary>
    private static ulong Ignored { get; } = Convert.ToUInt64(
        File.ReadLines("/proc/self/status").Single(l => l.StartsWith("SigIgn:", StringComparison.Ordinal))["SigIgn:".Length..].Trim(), 16);

    [ModuleInitializer]
    internal static void Restore()
    {
        foreach ((int number, PosixSignal signal) in (ReadOnlySpan<(int, PosixSignal)>)
            [(Signals.Hangup, PosixSignal.SIGHUP), (Signals.Interrupt, PosixSignal.SIGINT), (Signals.Quit, PosixSignal.SIGQUIT)])
        {
            if ((Ignored & (1UL << (number - 1))) == 0)
                continue;
            Signals.RestoreDefaults(number);
            Kept.Add(PosixSignalRegistration.Create(signal, context => context.Cancel = true));
        }
    }
}
