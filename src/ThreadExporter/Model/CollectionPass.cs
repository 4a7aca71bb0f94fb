using ThreadExporter.Configuration;

namespace ThreadExporter.Model;

/// <summary>What is the same for everything that one collection reads.</summary>
/// <param name="Number">Which collection of this daemon it is, counted from 1.</param>
/// <param name="StartedAt">Its begin, monotonic nanoseconds.</param>
/// <param name="RefreshInterval">Nanoseconds after which a thread's name and state are read again at the latest.</param>
/// <param name="SamplerWindow">Nanoseconds below which a share of a core is not taken for a peak; 0: peaks are switched off.</param>
/// <param name="PeakWindow">How long a peak is remembered, in nanoseconds.</param>
/// <param name="ReadAll">Read every thread, even if it did not run: which of them keep a descriptor, or what more is shown of them, is to be settled anew.</param>
/// <param name="Extended">What more is shown of each thread.</param>
internal readonly record struct CollectionPass(long Number, long StartedAt, long RefreshInterval, long SamplerWindow, long PeakWindow, bool ReadAll, ExtendedKinds Extended);
