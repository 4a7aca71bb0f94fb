namespace ThreadExporter.Model;

/// <summary>CPU time of one or more processes, in nanoseconds.</summary>
/// <param name="Total">User and kernel time, to the nanosecond where the kernel has it.</param>
/// <param name="User">Time in user mode, a multiple of the clock tick.</param>
/// <param name="Kernel">Time in kernel mode, a multiple of the clock tick.</param>
internal readonly record struct CpuTimes(long Total, long User, long Kernel)
{
    /// <summary>Times that are known in clock ticks only.</summary>
    public CpuTimes(long user, long kernel)
        : this(user + kernel, user, kernel)
    {
    }

    public static CpuTimes operator +(CpuTimes a, CpuTimes b) => new(a.Total + b.Total, a.User + b.User, a.Kernel + b.Kernel);

    public static CpuTimes operator -(CpuTimes a, CpuTimes b) => new(a.Total - b.Total, a.User - b.User, a.Kernel - b.Kernel);

    /// <summary>The smaller of each.</summary>
    public static CpuTimes Min(CpuTimes a, CpuTimes b) => new(Math.Min(a.Total, b.Total), Math.Min(a.User, b.User), Math.Min(a.Kernel, b.Kernel));

    /// <summary>The larger of each.</summary>
    public static CpuTimes Max(CpuTimes a, CpuTimes b) => new(Math.Max(a.Total, b.Total), Math.Max(a.User, b.User), Math.Max(a.Kernel, b.Kernel));
}
