namespace ThreadExporter.Model;

/// <summary>A process of the host, watched or not.</summary>
/// <param name="ParentPid">Its parent when it was last matched.</param>
/// <param name="StartTicks">Start in clock ticks since boot; 0: it has exited.</param>
/// <param name="IsAlive">Whether it was in the last listing.</param>
internal readonly record struct ListedProcess(int ParentPid, ulong StartTicks, bool IsAlive);
