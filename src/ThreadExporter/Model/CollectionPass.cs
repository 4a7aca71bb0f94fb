using ThreadExporter.Configuration;

namespace ThreadExporter.Model;

/// <summary>The parameters of one collection.</summary>
/// <param name="Number">The number of the collection, counted from 1.</param>
/// <param name="StartedAt">Start time, CLOCK_MONOTONIC ns.</param>
/// <param name="PreviousTicks">When the previous collection started, in clock ticks since boot; the largest number: there was none.</param>
/// <param name="PreviousUpdate">The number of the listing of /proc of the previous collection (<see cref="WatchedProcess.ListedInUpdate"/>).</param>
/// <param name="RefreshInterval">Nanoseconds after which a thread's name and state are read again at the latest.</param>
/// <param name="SamplerWindow">Nanoseconds. A shorter interval between collections gives no peak; 0: peaks are off.</param>
/// <param name="PeakWindow">How long a peak is remembered, in nanoseconds.</param>
/// <param name="ReadAll">Every thread is read, even if it has not run: the number of descriptors or the extended counters have changed.</param>
/// <param name="Extended">The extended counters that are read.</param>
internal readonly record struct CollectionPass(long Number, long StartedAt, ulong PreviousTicks, int PreviousUpdate, long RefreshInterval, long SamplerWindow, long PeakWindow, bool ReadAll, ExtendedKinds Extended);
