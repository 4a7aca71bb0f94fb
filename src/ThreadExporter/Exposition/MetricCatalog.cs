using static ThreadExporter.Exposition.MetricType;

namespace ThreadExporter.Exposition;

/// <summary>All metric families of the daemon. A test compares them with <c>docs/metrics.md</c>.</summary>
internal static class MetricCatalog
{
    private static readonly string[] Thread = ["daemon", "ppid", "pname", "tid", "tname"];
    private static readonly string[] Process = ["daemon", "pid", "pname"];

    public static readonly MetricFamily ThreadCpuUser = new("perfscale_thread_cpu_user_seconds_total", Counter,
        "CPU time of the thread in user mode, in seconds.", Thread);
    public static readonly MetricFamily ThreadCpuKernel = new("perfscale_thread_cpu_kernel_seconds_total", Counter,
        "CPU time of the thread in kernel mode, in seconds.", Thread);
    public static readonly MetricFamily ThreadCpu = new("perfscale_thread_cpu_seconds_total", Counter,
        "CPU time of the thread, user and kernel, in seconds, with nanosecond resolution (schedstat).", Thread);
    public static readonly MetricFamily ThreadRunqueue = new("perfscale_thread_runqueue_seconds_total", Counter,
        "Time the thread was runnable and waiting for a CPU, in seconds.", Thread);
    public static readonly MetricFamily ThreadTimeslices = new("perfscale_thread_timeslices_total", Counter,
        "Number of timeslices the thread has run on a CPU.", Thread);

    public static readonly MetricFamily ThreadSaturated = new("perfscale_thread_saturated_seconds_total", Counter,
        "Time in sampler windows in which the thread used at least sampler.saturation of a core, in seconds.", Thread);
    public static readonly MetricFamily ThreadPeak = new("perfscale_thread_cpu_peak_ratio", Gauge,
        "Highest share of a core, 0 to 1, that the thread used in a window of the last sampler.peak_window.", Thread);

    public static readonly MetricFamily ThreadGroupThreads = new("perfscale_thread_group_threads", Gauge,
        "Live threads that share the name, for filters with detail = \"name\".", "daemon", "ppid", "pname", "tname");
    public static readonly MetricFamily ThreadVoluntarySwitches = new("perfscale_thread_voluntary_context_switches_total", Counter,
        "Voluntary context switches of the thread: it gave up the CPU to wait.", Thread);
    public static readonly MetricFamily ThreadInvoluntarySwitches = new("perfscale_thread_involuntary_context_switches_total", Counter,
        "Involuntary context switches of the thread: it was preempted while runnable.", Thread);
    public static readonly MetricFamily ThreadMinorFaults = new("perfscale_thread_minor_faults_total", Counter,
        "Minor page faults of the thread: no I/O needed.", Thread);
    public static readonly MetricFamily ThreadMajorFaults = new("perfscale_thread_major_faults_total", Counter,
        "Major page faults of the thread: waited for I/O.", Thread);
    public static readonly MetricFamily ThreadIoReadBytes = new("perfscale_thread_io_read_bytes_total", Counter,
        "Bytes the thread caused to be read from storage.", Thread);
    public static readonly MetricFamily ThreadIoWriteBytes = new("perfscale_thread_io_write_bytes_total", Counter,
        "Bytes the thread caused to be written to storage, counted when it dirtied the pages.", Thread);
    public static readonly MetricFamily ThreadLastCpu = new("perfscale_thread_last_cpu", Gauge,
        "CPU number the thread last ran on, as of the last read of its stat.", Thread);

    public static readonly MetricFamily ProcessCpuUser = new("perfscale_process_cpu_user_seconds_total", Counter,
        "CPU time of the process in user mode, including exited threads, in seconds.", Process);
    public static readonly MetricFamily ProcessCpuKernel = new("perfscale_process_cpu_kernel_seconds_total", Counter,
        "CPU time of the process in kernel mode, including exited threads, in seconds.", Process);
    public static readonly MetricFamily ProcessCpu = new("perfscale_process_cpu_seconds_total", Counter,
        "CPU time of the process, user and kernel, including exited threads, in seconds.", Process);
    public static readonly MetricFamily ProcessFolded = new("perfscale_process_folded_threads_cpu_seconds_total", Counter,
        "CPU time of live threads while they had no shown series, in seconds.", Process);
    public static readonly MetricFamily ProcessTransient = new("perfscale_process_transient_threads_cpu_seconds_total", Counter,
        "CPU time outside any thread's observed lifetime, in seconds: threads that lived between two collections, "
        + "and time before a thread was first seen or after it was last seen.", Process);
    public static readonly MetricFamily ProcessExited = new("perfscale_process_exited_threads_cpu_seconds_total", Counter,
        "CPU time of threads that exited between collections, by name, digits folded, in seconds; partly an estimate. Only with exit records.", [.. Process, "tname"]);
    public static readonly MetricFamily ProcessExits = new("perfscale_process_exited_threads_total", Counter,
        "Threads that have exited, by name, digits folded. Only with exit records.", [.. Process, "tname"]);
    public static readonly MetricFamily ProcessWaitedChildren = new("perfscale_process_waited_children_cpu_seconds_total", Counter,
        "CPU time of the exited children that the process has waited for, and of theirs, in seconds. Not in a group, whose CPU time contains it.", Process);
    public static readonly MetricFamily ProcessThreads = new("perfscale_process_threads", Gauge,
        "Threads of the process.", Process);
    public static readonly MetricFamily ProcessThreadsByState = new("perfscale_process_threads_by_state", Gauge,
        "Threads of the process by the kernel's state letter (R running, S sleeping, D disk sleep, T stopped, t traced, Z zombie, I idle).",
        [.. Process, "state"]);
    public static readonly MetricFamily ProcessStartTime = new("perfscale_process_start_time_seconds", Gauge,
        "Start time of the process, in seconds since the epoch.", Process);

    public static readonly MetricFamily GroupProcesses = new("perfscale_group_processes", Gauge,
        "Live processes of the group, for filters with group = true; 0 for ten minutes after the last one has exited.", "filter", "daemon", "pname");

    public static readonly MetricFamily CgroupCpu = new("perfscale_cgroup_cpu_seconds_total", Counter,
        "CPU time of the processes in the cgroup and below it, in seconds.", "cgroup");
    public static readonly MetricFamily CgroupThrottled = new("perfscale_cgroup_throttled_seconds_total", Counter,
        "Time in which the cgroup's processes could not run because of its CPU limit, in seconds, added up over the CPUs: it may rise faster than time.", "cgroup");
    public static readonly MetricFamily CgroupPeriods = new("perfscale_cgroup_periods_total", Counter,
        "Periods in which the cgroup's CPU limit was enforced.", "cgroup");
    public static readonly MetricFamily CgroupThrottledPeriods = new("perfscale_cgroup_throttled_periods_total", Counter,
        "Periods in which the cgroup used up its CPU limit and was throttled.", "cgroup");
    public static readonly MetricFamily CgroupPressure = new("perfscale_cgroup_cpu_pressure_seconds_total", Counter,
        "Time in which at least one task of the cgroup waited for a CPU (PSI, some), in seconds. Only with cgroup v2 and where PSI is on.", "cgroup");
    public static readonly MetricFamily CgroupLimit = new("perfscale_cgroup_cpu_limit_cores", Gauge,
        "CPU limit that the cgroup sets, in cores. Absent without a limit.", "cgroup");
    public static readonly MetricFamily ProcessCgroup = new("perfscale_process_cgroup_info", Gauge,
        "Always 1; which cgroup the process is in. In a group, one for each cgroup of its processes.", [.. Process, "cgroup"]);

    public static readonly MetricFamily ExitedProcessesCpu = new("perfscale_exited_processes_cpu_seconds_total", Counter,
        "CPU time of processes that no collection has seen, and the last moments of others, in seconds: a lower bound. Only with exit records, outside of groups.",
        "filter", "daemon", "pname", "tname");
    public static readonly MetricFamily ExitedProcesses = new("perfscale_exited_processes_total", Counter,
        "Processes that have exited. Only with exit records, outside of groups.", "filter", "daemon", "pname");

    public static readonly MetricFamily BuildInfo = new("thread_exporter_build_info", Gauge,
        "Always 1; the labels hold the version and the runtime.", "version", "runtime");
    public static readonly MetricFamily ReloadSuccessful = new("thread_exporter_config_last_reload_successful", Gauge,
        "1: the last configuration reload succeeded. 0: it failed and the previous configuration remains active.");
    public static readonly MetricFamily ReloadTimestamp = new("thread_exporter_config_last_reload_success_timestamp_seconds", Gauge,
        "Time at which the active configuration was loaded, in seconds since the epoch.");
    public static readonly MetricFamily RestartRequired = new("thread_exporter_config_restart_required", Gauge,
        "1: a key was changed that takes effect only at a restart.");
    public static readonly MetricFamily MatchedProcesses = new("thread_exporter_filter_matched_processes", Gauge,
        "Processes that the filter selects in this collection; 0 is exported too, so that an alert can fire.", "filter");
    public static readonly MetricFamily Threads = new("thread_exporter_threads", Gauge,
        "Watched threads.");
    public static readonly MetricFamily ThreadsFolded = new("thread_exporter_threads_folded", Gauge,
        "Series that the filters select but collector.max_threads or collector.max_samples hides.");
    public static readonly MetricFamily DetailLowered = new("thread_exporter_detail_lowered", Gauge,
        "1 while collector.max_samples hides series.");
    public static readonly MetricFamily Collections = new("thread_exporter_collections_total", Counter,
        "Collections made. A rate above the scrape rate means that there are several scrapers.");
    public static readonly MetricFamily Descriptors = new("thread_exporter_descriptors", Gauge,
        "File descriptors kept open on /proc and on the cgroup file system.");
    public static readonly MetricFamily CollectDuration = new("thread_exporter_collect_duration_seconds", Gauge,
        "Duration of each stage of this collection, in seconds; render is that of the previous collection, with compression.", "stage");
    public static readonly MetricFamily ReadErrors = new("thread_exporter_read_errors_total", Counter,
        "Failed reads of /proc, by reason. gone is expected: a process or thread ended between two reads.", "reason");
    public static readonly MetricFamily SamplerInterval = new("thread_exporter_sampler_interval_seconds", Gauge,
        "Length of the sampler windows, in seconds: sampler.interval, or longer to stay within sampler.cpu_budget. 0: the sampler is off.");
    public static readonly MetricFamily SamplerLateTicks = new("thread_exporter_sampler_late_ticks_total", Counter,
        "Sampler windows that ended late by more than half their length.");
    public static readonly MetricFamily ExitRecordsAvailable = new("thread_exporter_exit_records_available", Gauge,
        "1: the kernel's exit records are used. 0: they are not available, switched off, or paused because of their cost.");
    public static readonly MetricFamily ExitRecordsLost = new("thread_exporter_exit_records_lost_total", Counter,
        "Exit records that were lost or could not be read.");
    public static readonly MetricFamily ExitedCpuEstimated = new("thread_exporter_exited_cpu_estimated_seconds_total", Counter,
        "CPU time that was given to the names of exited threads by the number of their exits, in seconds.");
    public static readonly MetricFamily LogFileWritable = new("thread_exporter_log_file_writable", Gauge,
        "0: a log file is configured and cannot be written. 1: otherwise.");
    public static readonly MetricFamily RecorderEnabled = new("thread_exporter_recorder_enabled", Gauge,
        "1: the hottest threads of each interval are recorded. 0: the recorder is off.");
    public static readonly MetricFamily RecorderIntervals = new("thread_exporter_recorder_intervals_total", Counter,
        "Intervals that the recorder has written.");
    public static readonly MetricFamily RecorderLost = new("thread_exporter_recorder_intervals_lost_total", Counter,
        "Intervals that were not written, because the disk failed, was full or too slow.");
    public static readonly MetricFamily RecorderErrors = new("thread_exporter_recorder_errors_total", Counter,
        "Failures to open, write or read the recorder's database.");
    public static readonly MetricFamily RecorderBytes = new("thread_exporter_recorder_bytes", Gauge,
        "Size of the recorder's database and its log, in bytes.");
    public static readonly MetricFamily RecorderLastWrite = new("thread_exporter_recorder_last_write_timestamp_seconds", Gauge,
        "End of the last interval written, in seconds since the epoch. Absent until there is one.");
    public static readonly MetricFamily RecorderOldest = new("thread_exporter_recorder_oldest_timestamp_seconds", Gauge,
        "Start of the oldest recorded interval, in seconds since the epoch. Absent until there is one.");
    public static readonly MetricFamily Logins = new("thread_exporter_logins_total", Counter,
        "Logins by result: succeeded (the password was hashed), cached (known to be correct without hashing), failed, "
        + "throttled (refused: too many pending logins).", "result");
    public static readonly MetricFamily TlsFilesUsable = new("thread_exporter_tls_files_usable", Gauge,
        "0: the web.tls files have changed on disk and are unusable, so the previous ones remain active. 1: otherwise. Only with TLS.");
    public static readonly MetricFamily TlsExpiry = new("thread_exporter_tls_certificate_expiry_timestamp_seconds", Gauge,
        "Time at which the active certificate expires, in seconds since the epoch. Only with TLS.");

    public static readonly MetricFamily SelfCpu = new("process_cpu_seconds_total", Counter,
        "CPU time of the exporter, user and kernel, in seconds.");
    public static readonly MetricFamily SelfResident = new("process_resident_memory_bytes", Gauge,
        "Resident memory of the exporter, in bytes.");
    public static readonly MetricFamily SelfVirtual = new("process_virtual_memory_bytes", Gauge,
        "Virtual memory of the exporter, in bytes.");
    public static readonly MetricFamily SelfOpenFds = new("process_open_fds", Gauge,
        "Open file descriptors of the exporter.");
    public static readonly MetricFamily SelfMaxFds = new("process_max_fds", Gauge,
        "Maximum number of open file descriptors of the exporter.");
    public static readonly MetricFamily SelfStartTime = new("process_start_time_seconds", Gauge,
        "Start time of the exporter, in seconds since the epoch.");

    /// <summary>All families, in the order in which they are written.</summary>
    public static readonly IReadOnlyList<MetricFamily> All =
    [
        ThreadCpuUser, ThreadCpuKernel, ThreadCpu, ThreadRunqueue, ThreadTimeslices, ThreadSaturated, ThreadPeak, ThreadGroupThreads,
        ThreadVoluntarySwitches, ThreadInvoluntarySwitches, ThreadMinorFaults, ThreadMajorFaults, ThreadIoReadBytes, ThreadIoWriteBytes, ThreadLastCpu,
        ProcessCpuUser, ProcessCpuKernel, ProcessCpu, ProcessFolded, ProcessTransient, ProcessExited, ProcessExits, ProcessWaitedChildren,
        ProcessThreads, ProcessThreadsByState, ProcessStartTime, GroupProcesses,
        CgroupCpu, CgroupThrottled, CgroupPeriods, CgroupThrottledPeriods, CgroupPressure, CgroupLimit, ProcessCgroup, ExitedProcessesCpu, ExitedProcesses,
        BuildInfo, ReloadSuccessful, ReloadTimestamp, RestartRequired, MatchedProcesses, Threads, ThreadsFolded, DetailLowered, Collections, Descriptors,
        CollectDuration, ReadErrors, SamplerInterval, SamplerLateTicks, ExitRecordsAvailable, ExitRecordsLost, ExitedCpuEstimated, LogFileWritable,
        RecorderEnabled, RecorderIntervals, RecorderLost, RecorderErrors, RecorderBytes, RecorderLastWrite, RecorderOldest, Logins, TlsFilesUsable, TlsExpiry,
        SelfCpu, SelfResident, SelfVirtual, SelfOpenFds, SelfMaxFds, SelfStartTime,
    ];
}
