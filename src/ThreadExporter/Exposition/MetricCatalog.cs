using static ThreadExporter.Exposition.MetricType;

namespace ThreadExporter.Exposition;

/// <summary>All metric families of the daemon. A test compares them with <c>docs/metrics.md</c>.</summary>
internal static class MetricCatalog
{
    private static readonly string[] Thread = ["daemon", "ppid", "pname", "tid", "tname"];
    private static readonly string[] Process = ["daemon", "pid", "pname"];

    public static readonly MetricFamily ThreadCpuUser = new("perfscale_thread_cpu_user_seconds_total", Counter,
        "CPU time the thread spent in user mode, in seconds.", Thread);
    public static readonly MetricFamily ThreadCpuKernel = new("perfscale_thread_cpu_kernel_seconds_total", Counter,
        "CPU time the thread spent in kernel mode, in seconds.", Thread);
    public static readonly MetricFamily ThreadCpu = new("perfscale_thread_cpu_seconds_total", Counter,
        "CPU time of the thread, user and kernel, in seconds, from the scheduler's nanosecond clock.", Thread);
    public static readonly MetricFamily ThreadRunqueue = new("perfscale_thread_runqueue_seconds_total", Counter,
        "Time the thread was runnable but waited for a CPU, in seconds.", Thread);
    public static readonly MetricFamily ThreadTimeslices = new("perfscale_thread_timeslices_total", Counter,
        "How many times the thread was given a CPU.", Thread);

    public static readonly MetricFamily ThreadSaturated = new("perfscale_thread_saturated_seconds_total", Counter,
        "Time the thread used a whole core or nearly (sampler.saturation), in seconds, from windows of sampler.interval.", Thread);
    public static readonly MetricFamily ThreadPeak = new("perfscale_thread_cpu_peak_ratio", Gauge,
        "The largest share of a core that the thread used in a window of sampler.interval during the last sampler.peak_window.", Thread);

    public static readonly MetricFamily ThreadGroupThreads = new("perfscale_thread_group_threads", Gauge,
        "Live threads that share the name, where a rule has detail = \"name\".", "daemon", "ppid", "pname", "tname");
    public static readonly MetricFamily ThreadVoluntarySwitches = new("perfscale_thread_voluntary_context_switches_total", Counter,
        "How many times the thread gave up its CPU to wait for something.", Thread);
    public static readonly MetricFamily ThreadInvoluntarySwitches = new("perfscale_thread_involuntary_context_switches_total", Counter,
        "How many times another thread was given the CPU although this one could have gone on.", Thread);
    public static readonly MetricFamily ThreadMinorFaults = new("perfscale_thread_minor_faults_total", Counter,
        "Page faults of the thread that took no I/O.", Thread);
    public static readonly MetricFamily ThreadMajorFaults = new("perfscale_thread_major_faults_total", Counter,
        "Page faults of the thread that had to wait for I/O.", Thread);
    public static readonly MetricFamily ThreadIoReadBytes = new("perfscale_thread_io_read_bytes_total", Counter,
        "Bytes that the thread had read from storage.", Thread);
    public static readonly MetricFamily ThreadIoWriteBytes = new("perfscale_thread_io_write_bytes_total", Counter,
        "Bytes that the thread had written to storage, counted when it made the pages dirty.", Thread);
    public static readonly MetricFamily ThreadLastCpu = new("perfscale_thread_last_cpu", Gauge,
        "Number of the CPU that the thread was on when its stat was last read.", Thread);

    public static readonly MetricFamily ProcessCpuUser = new("perfscale_process_cpu_user_seconds_total", Counter,
        "CPU time the process spent in user mode, exited threads included, in seconds.", Process);
    public static readonly MetricFamily ProcessCpuKernel = new("perfscale_process_cpu_kernel_seconds_total", Counter,
        "CPU time the process spent in kernel mode, exited threads included, in seconds.", Process);
    public static readonly MetricFamily ProcessCpu = new("perfscale_process_cpu_seconds_total", Counter,
        "CPU time of the process, user and kernel, exited threads included, in seconds.", Process);
    public static readonly MetricFamily ProcessFolded = new("perfscale_process_folded_threads_cpu_seconds_total", Counter,
        "CPU time of live threads while they had no series of their own, in seconds.", Process);
    public static readonly MetricFamily ProcessTransient = new("perfscale_process_transient_threads_cpu_seconds_total", Counter,
        "CPU time of threads that no two collections saw, in seconds: born and gone in between, before the first sight, after the last.", Process);
    public static readonly MetricFamily ProcessThreads = new("perfscale_process_threads", Gauge,
        "Threads of the process.", Process);
    public static readonly MetricFamily ProcessThreadsByState = new("perfscale_process_threads_by_state", Gauge,
        "Threads of the process by the kernel's state letter (R running, S sleeping, D disk sleep, T stopped, t traced, Z zombie, I idle).",
        [.. Process, "state"]);
    public static readonly MetricFamily ProcessStartTime = new("perfscale_process_start_time_seconds", Gauge,
        "Start of the process, in seconds since the epoch.", Process);

    public static readonly MetricFamily BuildInfo = new("thread_exporter_build_info", Gauge,
        "Always 1; the labels say which build this is.", "version", "runtime");
    public static readonly MetricFamily ReloadSuccessful = new("thread_exporter_config_last_reload_successful", Gauge,
        "1 when the last reload of the configuration succeeded, 0 when it failed and the old one stays in force.");
    public static readonly MetricFamily ReloadTimestamp = new("thread_exporter_config_last_reload_success_timestamp_seconds", Gauge,
        "When the configuration in force was loaded, in seconds since the epoch.");
    public static readonly MetricFamily RestartRequired = new("thread_exporter_config_restart_required", Gauge,
        "1 when the file holds a changed key that takes effect only at a restart.");
    public static readonly MetricFamily MatchedProcesses = new("thread_exporter_filter_matched_processes", Gauge,
        "Processes that the filter owns at this collection; 0 is shown, so that an alert can fire.", "filter");
    public static readonly MetricFamily Threads = new("thread_exporter_threads", Gauge,
        "Threads tracked.");
    public static readonly MetricFamily ThreadsFolded = new("thread_exporter_threads_folded", Gauge,
        "Thread series that the filters ask for and that collector.max_threads or collector.max_samples keeps from being shown.");
    public static readonly MetricFamily DetailLowered = new("thread_exporter_detail_lowered", Gauge,
        "1 while collector.max_samples keeps thread series from being shown.");
    public static readonly MetricFamily Collections = new("thread_exporter_collections_total", Counter,
        "Collections made. More than one server's scrapes: another one scrapes too.");
    public static readonly MetricFamily Descriptors = new("thread_exporter_descriptors", Gauge,
        "Descriptors kept open on /proc files.");
    public static readonly MetricFamily CollectDuration = new("thread_exporter_collect_duration_seconds", Gauge,
        "Duration of the stages of this collection, in seconds; render is that of the one before.", "stage");
    public static readonly MetricFamily ReadErrors = new("thread_exporter_read_errors_total", Counter,
        "Reads of /proc that failed, by reason. gone is everyday life: a process or thread ended between two reads.", "reason");
    public static readonly MetricFamily SamplerInterval = new("thread_exporter_sampler_interval_seconds", Gauge,
        "Length of the sampler's windows, in seconds: sampler.interval, or longer to keep to sampler.cpu_budget. 0: switched off.");
    public static readonly MetricFamily SamplerLateTicks = new("thread_exporter_sampler_late_ticks_total", Counter,
        "Windows of the sampler that ended late by more than half their length.");
    public static readonly MetricFamily LogFileWritable = new("thread_exporter_log_file_writable", Gauge,
        "0 when there is a log file and it cannot be written; else 1.");
    public static readonly MetricFamily Logins = new("thread_exporter_logins_total", Counter,
        "Logins by result: succeeded (the password was hashed), cached (known to be correct without hashing), failed, throttled (refused: too many pending logins).", "result");
    public static readonly MetricFamily TlsFilesUsable = new("thread_exporter_tls_files_usable", Gauge,
        "0 when the files of web.tls have changed on disk and cannot be used, so that those loaded before stay in force; else 1. Only with TLS.");
    public static readonly MetricFamily TlsExpiry = new("thread_exporter_tls_certificate_expiry_timestamp_seconds", Gauge,
        "When the certificate in force expires, in seconds since the epoch. Only with TLS.");

    public static readonly MetricFamily SelfCpu = new("process_cpu_seconds_total", Counter,
        "CPU time of this exporter, user and kernel, in seconds.");
    public static readonly MetricFamily SelfResident = new("process_resident_memory_bytes", Gauge,
        "Resident memory of this exporter, in bytes.");
    public static readonly MetricFamily SelfVirtual = new("process_virtual_memory_bytes", Gauge,
        "Virtual memory of this exporter, in bytes.");
    public static readonly MetricFamily SelfOpenFds = new("process_open_fds", Gauge,
        "Open file descriptors of this exporter.");
    public static readonly MetricFamily SelfMaxFds = new("process_max_fds", Gauge,
        "Limit of open file descriptors of this exporter.");
    public static readonly MetricFamily SelfStartTime = new("process_start_time_seconds", Gauge,
        "Start of this exporter, in seconds since the epoch.");

    /// <summary>All families, in the order in which they are written.</summary>
    public static readonly IReadOnlyList<MetricFamily> All =
    [
        ThreadCpuUser, ThreadCpuKernel, ThreadCpu, ThreadRunqueue, ThreadTimeslices, ThreadSaturated, ThreadPeak, ThreadGroupThreads,
        ThreadVoluntarySwitches, ThreadInvoluntarySwitches, ThreadMinorFaults, ThreadMajorFaults, ThreadIoReadBytes, ThreadIoWriteBytes, ThreadLastCpu,
        ProcessCpuUser, ProcessCpuKernel, ProcessCpu, ProcessFolded, ProcessTransient, ProcessThreads, ProcessThreadsByState, ProcessStartTime,
        BuildInfo, ReloadSuccessful, ReloadTimestamp, RestartRequired, MatchedProcesses, Threads, ThreadsFolded, DetailLowered, Collections, Descriptors,
        CollectDuration, ReadErrors, SamplerInterval, SamplerLateTicks, LogFileWritable,
        Logins, TlsFilesUsable, TlsExpiry,
        SelfCpu, SelfResident, SelfVirtual, SelfOpenFds, SelfMaxFds, SelfStartTime,
    ];
}
