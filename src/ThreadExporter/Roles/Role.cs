using System.Collections.Immutable;
using ThreadExporter.Matching;

namespace ThreadExporter.Roles;

/// <summary>What a known thread is for: one <c>[[role]]</c> of a role file.</summary>
internal sealed class Role
{
    private readonly ImmutableArray<CommPattern> _process;
    private readonly ImmutableArray<Glob> _thread;

    /// <exception cref="FormatException">A pattern is not a valid glob; <see cref="RoleFile"/> rejects such a pattern.</exception>
    public Role(ImmutableArray<string> process, bool kernel, ImmutableArray<string> thread)
    {
        (Process, Kernel, Thread) = (process, kernel, thread);
        _process = CommPattern.CompileAll(process);
        _thread = Glob.CompileAll(thread);
    }

    /// <summary>Globs for the name of the process; empty: any name, which only a role of kernel threads may have.</summary>
    public ImmutableArray<string> Process { get; }

    /// <summary>Only kernel threads. A program may have any name, also that of a kernel thread.</summary>
    public bool Kernel { get; }

    /// <summary>Globs for the name of the thread, as the kernel keeps it.</summary>
    public ImmutableArray<string> Thread { get; }

    /// <summary>The short name.</summary>
    public required string Name { get; init; }

    /// <summary>What the thread does, and what it means when it uses a full core.</summary>
    public required string Text { get; init; }

    /// <summary>The page or source file that says so, as a URL; null: none is given.</summary>
    public string? Source { get; init; }

    /// <summary>Whether a thread has this role.</summary>
    /// <param name="process">Name of its process; of a kernel thread, its own.</param>
    /// <param name="thread">Its name.</param>
    /// <param name="isKernelThread">Whether it is a kernel thread.</param>
    public bool Matches(string process, string thread, bool isKernelThread) =>
        (isKernelThread || !Kernel) && Glob.MatchesAny(_thread, thread) && (_process.IsEmpty || _process.Any(p => p.Matches(process)));

    /// <summary>
    /// Whether a person who asks for <paramref name="name"/> means this role: the name, which may be longer than the kernel keeps, is one that
    /// a pattern matches, or as a glob it matches a pattern.
    /// </summary>
    public bool IsMeantBy(Glob name)
    {
        if (Process.Any(p => name.Matches(p)) || Thread.Any(t => name.Matches(t)))
            return true;
        // A pattern for every process says nothing of this one.
        if (name.LiteralText is not { } text)
            return false;
        string kept = CommPattern.Cut(text);
        return Process.Zip(_process).Any(p => p.First != "*" && p.Second.Matches(text)) || _thread.Any(t => t.Matches(text) || t.Matches(kept));
    }
}
