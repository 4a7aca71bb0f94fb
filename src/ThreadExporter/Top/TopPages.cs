using Spectre.Console;
using Spectre.Console.Rendering;
using ThreadExporter.Text;
using ThreadExporter.Web.Pages;

namespace ThreadExporter.Top;

/// <summary>The pages beside the table: one thread as the hot page shows it, and the keys.</summary>
internal static class TopPages
{
    private const int MaxNamed = 4;

    private static readonly (string Letter, string Text)[] States =
        [("R", "running"), ("S", "sleeping"), ("D", "disk sleep"), ("T", "stopped"), ("t", "traced"), ("Z", "zombie"), ("I", "idle"), ("X", "dead")];

    public static IReadOnlyList<IRenderable> Help() => [Tones.Line(HelpText)];

    public static IReadOnlyList<IRenderable> Details(TopView view, int columns, bool isUtf8)
    {
        if (view.Response is not { } response || view.Detailed is not { } thread)
            return [Tones.Line(" "), Tones.Line(" This thread has ended, or is no longer among the busiest. Esc shows the others.")];
        List<IRenderable> lines =
        [
            Tones.Line(" "),
            Tones.Line($" {(thread.Name.Length > 0 ? thread.Name : "(no name)")}", Tone.Strong).Add(FormattableString.Invariant(
                $"  thread {thread.Tid} of {thread.Process} {thread.Pid}{(thread.Daemon == thread.Process ? "" : $", daemon {thread.Daemon}")}, filter {thread.Filter}")),
            Tones.Line($" CPU {Texts.Percent(thread.CpuRatio)}", Tone.Strong).Add(
                $"  user {Texts.Percent(thread.UserRatio)}, kernel {Texts.Percent(thread.KernelRatio)}, waiting {Texts.Percent(thread.WaitRatio)}"
                + $"{(thread.SaturatedSeconds is { } saturated ? $", saturated {Texts.Seconds(saturated)}" : "")}, state {StateOf(thread.State)}"),
        ];
        lines.Add(Wrapped(thread.Reason.Length > 0 ? $"{thread.Verdict}: {thread.Reason}" : thread.Verdict, TopTable.ToneOf(thread)));
        if (thread.History.Length > 0)
            lines.Add(Tones.Line(" " + Texts.Spark(thread.History, Math.Min(thread.History.Length, columns - 2), isUtf8)));
        lines.Add(Tones.Line(" "));
        if (thread.Role is { } role)
        {
            lines.Add(Tones.Line($" Role: {role.Name}", Tone.Strong));
            lines.Add(Wrapped(role.Text));
            if (role.Source is { } source)
                lines.Add(Wrapped(source, Tone.Faint));
            lines.Add(Tones.Line(" "));
        }
        lines.Add(Tones.Line(" What it does:  ").Add(FormattableString.Invariant($"perf record -g -t {thread.Tid} -- sleep 10"), Tone.Strong));
        lines.Add(Tones.Line(" Its process:   ").Add(FormattableString.Invariant($"pidstat -t -p {thread.Pid} 1"), Tone.Strong));
        AddProcess(lines, response, thread, columns);
        AddHost(lines, response, columns);
        return lines;
    }

    // The process's whole CPU time in the window, divided without remainder.
    private static void AddProcess(List<IRenderable> lines, HotThreadsResponse response, HotThreadResponse thread, int columns)
    {
        if (Array.Find(response.Processes, p => p.Pid == thread.Pid) is not { } process)
            return;
        decimal window = response.WindowSeconds;
        lines.Add(Tones.Line(" "));
        lines.Add(Tones.Line(FormattableString.Invariant(
            $" CPU use of {process.Name} {process.Pid}: {Texts.Percent(process.CpuSeconds, window)} of a core, {Plural.Count(process.Threads, "thread", "threads")}"), Tone.Strong));
        HotThreadResponse[] others = [.. response.Threads.Where(t => t.Pid == thread.Pid && t.Tid != thread.Tid && t.CpuSeconds > 0)];
        HotThreadResponse[] named = [.. others.Where(t => t.CpuSeconds >= process.CpuSeconds / 100).Take(MaxNamed)];
        List<(string Text, decimal? Time)> parts = [($"{thread.Name} {thread.Tid}", thread.CpuSeconds), .. named.Select(t => ($"{t.Name} {t.Tid}", (decimal?)t.CpuSeconds))];
        if (others.Length > named.Length)
            parts.Add(($"{others.Length - named.Length} more of the busiest", others.Except(named).Sum(t => t.CpuSeconds)));
        parts.Add(("other threads", process.OtherThreadsSeconds));
        parts.AddRange(process.Exited.Select(e => ($"{e.Name} ({Plural.Count(e.Exits, "thread", "threads")} exited)", (decimal?)e.CpuSeconds)));
        // What children used is not in the time of the process.
        if (process.WaitedChildrenSeconds > 0 && process.Exited.Length == 0)
            parts.Add(("exited children", process.WaitedChildrenSeconds));
        parts.Add(process.UnattributedSeconds is { } rest
            ? ("exited or new threads", Math.Max(0, rest - process.Exited.Sum(e => e.CpuSeconds)))
            : ("exited threads (not available)", null));
        AddParts(lines, parts, window, columns);
        if ((process.UnattributedSeconds ?? 0) + process.WaitedChildrenSeconds > (process.CpuSeconds + process.WaitedChildrenSeconds) / 4)
        {
            lines.Add(Wrapped("More than a quarter of this CPU time was used by short-lived threads or processes."
                + (process.Exited.Length == 0 ? " Exit records would name them: they need CAP_NET_ADMIN." : "")));
        }
    }

    // Who has the CPUs of the host.
    private static void AddHost(List<IRenderable> lines, HotThreadsResponse response, int columns)
    {
        if (response.Host is not { } host)
            return;
        lines.Add(Tones.Line(" "));
        lines.Add(Tones.Line($" CPU use of the host: {Plural.Count(host.Cpus, "CPU", "CPUs")}", Tone.Strong));
        List<(string Text, decimal? Time)> parts = [("watched processes", host.WatchedSeconds), .. host.Neighbours.Select(n => (FormattableString.Invariant($"{n.Name} {n.Pid}"), (decimal?)n.CpuSeconds))];
        parts.Add(("other processes", Math.Max(0, host.UnwatchedSeconds - host.Neighbours.Sum(n => n.CpuSeconds))));
        parts.Add(("short-lived processes, interrupts", host.ShortLivedSeconds));
        if (host.StealSeconds > 0)
            parts.Add(("taken by the hypervisor (steal)", host.StealSeconds));
        AddParts(lines, parts, response.WindowSeconds, columns);
    }

    private static void AddParts(List<IRenderable> lines, List<(string Text, decimal? Time)> parts, decimal window, int columns) =>
        lines.AddRange(parts.Select(p => Tones.Line($"   {ScreenText.Fit(p.Time is { } time ? Texts.Percent(time, window) : "-", 7, isRight: true)}  {ScreenText.Cut(p.Text, columns - 13)}")));

    private static Padder Wrapped(string text, Tone tone = Tone.Plain) => new(Tones.Cell(text, tone), new Padding(1, 0));

    private static string StateOf(string letter) => Array.Find(States, s => s.Letter == letter) is { Text: { } text } ? $"{letter} {text}" : letter.Length > 0 ? letter : "-";

    private const string HelpText = """

         q, Ctrl-C     quit
         s             sort by CPU, wait, verdict, thread, process
         /             show only threads that contain what you type: a name, pid or tid,
                       a filter, a verdict, a role; Enter keeps it, Esc shows all again
         p, space      pause and go on
         arrows, PgUp, PgDn, Home, End
                       select a thread, which is followed when its place changes; Home
                       selects whatever comes first
         Enter         details of the selected thread: what it is for, the command that
                       shows what it does, and who else uses the CPUs
         Esc           back to the threads
         h, ?          this page

         CPU%  time on a CPU, in percent of a core     USR%, SYS%  in user, kernel mode
         WAIT% ready to run, and waiting for a CPU     S           state, as in ps(1)
         busy: it used a whole core     throttled: its cgroup's CPU limit was used up
         starved: others had the CPUs   blocked: it waits for a disk or a driver
        """;
}
