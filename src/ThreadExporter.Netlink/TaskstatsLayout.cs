namespace ThreadExporter.Netlink;

/// <summary>
/// Where the fields of struct taskstats are, in bytes: include/uapi/linux/taskstats.h. Versions only append fields, but for one: version
/// 15 put two into each of the eight groups of delays, and version 16 moved them to the end. Between the change and the new number there were
/// kernels that said 14 (commits f65c64f311ee and b016d0873777); their size shows it.
/// </summary>
public sealed class TaskstatsLayout
{
    /// <summary>The oldest version that is read.</summary>
    public const int OldestVersion = 8;

    /// <summary>The newest version whose fields are known.</summary>
    public const int NewestVersion = 17;

    internal const int Flags = 8, CpuCount = 16, CpuDelayTotal = 24;
    internal const int CommSize = 32; // TS_COMM_LEN

    private const int LengthOfVersion15 = 560;
    /// <summary>Bytes before cpu_run_virtual_total that version 15 has more: two numbers for each of cpu, blkio and swapin.</summary>
    private const int MovedIn15 = 3 * 2 * sizeof(ulong);

    private readonly int _moved;

    private TaskstatsLayout(int version, int length, int moved, int startTime64, int tgid)
    {
        Version = version;
        Length = length;
        _moved = moved;
        StartTime64 = startTime64;
        Tgid = tgid;
    }

    /// <summary>The field version of a record.</summary>
    public int Version { get; }

    /// <summary>The size of a record in bytes.</summary>
    public int Length { get; }

    /// <summary>Whether ac_tgid is there: since version 12.</summary>
    public bool HasTgid => Tgid >= 0;

    internal int CpuRunVirtualTotal => 72 + _moved;
    internal int Comm => 80 + _moved;
    internal int Uid => 120 + _moved;
    internal int Pid => 128 + _moved;
    internal int Ppid => 132 + _moved;
    internal int StartTime => 136 + _moved;
    internal int ElapsedTime => 144 + _moved;
    internal int UserTime => 152 + _moved;
    internal int KernelTime => 160 + _moved;
    internal int MinorFaults => 168 + _moved;
    internal int MajorFaults => 176 + _moved;
    internal int ReadBytes => 248 + _moved;
    internal int WriteBytes => 256 + _moved;
    internal int VoluntarySwitches => 272 + _moved;
    internal int InvoluntarySwitches => 280 + _moved;

    /// <summary>-1 before version 10.</summary>
    internal int StartTime64 { get; }
    /// <summary>-1 before version 12.</summary>
    internal int Tgid { get; }

    /// <summary>
    /// The layout of a version. A version newer than <see cref="NewestVersion"/> gets that of the newest, because fields are appended; whether
    /// it is right is for <see cref="TryVerify"/> to say.
    /// </summary>
    /// <param name="version">The first field of a record.</param>
    /// <param name="length">The size of a record in bytes.</param>
    /// <returns>Null when the version is too old, or the record too short for its version.</returns>
    public static TaskstatsLayout? For(int version, int length)
    {
        if (length < ShortestOf(version))
            return null;
        if (version == 15 || (version == 14 && length == LengthOfVersion15))
            return new TaskstatsLayout(version, length, MovedIn15, startTime64: 424, tgid: 464);
        return new TaskstatsLayout(version, length, 0, startTime64: version >= 10 ? 344 : -1, tgid: version >= 12 ? 368 : -1);
    }

    /// <summary>The same without ac_tgid, as before version 12: for tests of what replaces it.</summary>
    internal TaskstatsLayout WithoutTgid() => new(Version, Length, _moved, StartTime64, -1);

    /// <summary>
    /// Compares the record of an exited thread with what the thread itself knew: distributions put fields into versions that do not have them,
    /// and newer versions may differ.
    /// </summary>
    /// <param name="record">The record with the tid of <paramref name="own"/>.</param>
    /// <param name="own">The thread.</param>
    /// <param name="reason">What differs.</param>
    public bool TryVerify(in ExitRecord record, OwnThread own, out string reason)
    {
        ArgumentNullException.ThrowIfNull(own);
        // Clocks differ a little, and user and kernel time are counted in ticks of up to 10 ms.
        const long Tolerance = 20_000_000;
        long most = own.ElapsedNanoseconds + (own.ElapsedNanoseconds / 10) + Tolerance;
        string? wrong =
            record.Tid != own.Tid ? "thread id"
            : record.Tgid != own.Pid ? "process id"
            : !record.Comm.SequenceEqual(OwnThread.Comm) ? "name"
            : record.CpuNanoseconds < own.CpuNanoseconds / 2 || record.CpuNanoseconds > most ? "CPU time"
            : record.UserNanoseconds + record.KernelNanoseconds > most ? "user and kernel time"
            : record.ElapsedNanoseconds < own.CpuNanoseconds / 2 || record.ElapsedNanoseconds > most ? "elapsed time"
            : null;
        reason = wrong is null ? "" : $"the exit records of this kernel have an unknown format: taskstats version {Version}, {Length} bytes, wrong {wrong}";
        return wrong is null;
    }

    /// <summary>The size of a version's fields, in bytes: a record may be longer, not shorter.</summary>
    private static int ShortestOf(int version) => version switch
    {
        < OldestVersion => int.MaxValue,
        8 => 328,
        9 => 344,
        10 => 352,
        11 => 368,
        12 => 400,
        13 => 416,
        14 => 432,
        _ => 560,
    };
}
