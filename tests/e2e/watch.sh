# The service watches a real process of another user.

# start_load NAME: runs the workload under that name as user worker; its commands go to ${load[NAME]}, its answers come from ${said[NAME]}.
declare -A load said
start_load() {
    local name=$1 in out
    mkfifo "$stage/$name.out"
    exec {in}> >(in_box systemd-run --quiet --pipe --wait --unit="$name" --uid=worker --setenv=DOTNET_ROOT=/run/dotnet "/run/e2e/workload/$name" > "$stage/$name.out")
    exec {out}< "$stage/$name.out"
    load[$name]=$in said[$name]=$out
}
# ask NAME COMMAND: the answer is in $answer.
ask() {
    echo "$2" >&"${load[$1]}"
    read -r -t 20 answer <&"${said[$1]}" || fail "the workload $1 did not answer: $2"
}
tids_of() { in_box ls "/proc/$1/task" | sort | paste -sd' '; }
scrape() { in_box curl -sSf http://localhost:9199/metrics > "$stage/metrics"; }
# value NAME LABEL...: the value of the one series of the last scrape with these labels, in the order of the text.
value() {
    local pattern="^$1{" label
    shift
    for label in "$@"; do pattern+=".*$label"; done
    awk -v pattern="$pattern" '$0 ~ pattern { n++; v = $NF } END { if (n != 1) { print n + 0, "series like", pattern > "/dev/stderr"; exit 1 } print v }' "$stage/metrics"
}
# own NAME: a metric without labels.
own() { awk -v name="$1" '$1 == name { print $2 }' "$stage/metrics"; }
# nanoseconds SECONDS
nanoseconds() { awk -v s="$1" 'BEGIN { printf "%.0f", s * 1e9 }'; }
# between WHAT LOW HIGH VALUE
between() { [ "$4" -ge "$2" ] && [ "$4" -le "$3" ] || fail "$1: $4 is not between $2 and $3"; }

step "a multithreaded process of another user runs"
start_load workload
ask workload "spawn hot burn"; hot=$answer
ask workload "spawn half 30"; half=$answer
ask workload "spawn idle idle"; idle=$answer
load_pid=$(in_box pgrep -x workload)
same "the workload's user" worker "$(in_box stat -c %U "/proc/$load_pid")"

step "with the shipped configuration, untouched, the journal and the log file have the same events"
in_box systemctl start thread-exporter
# Stopping is an event, too.
in_box systemctl stop thread-exporter
same "log files" "$log_file" "$(in_box find /var/log/thread-exporter -type f)"
within 10 same_events
note "$events events"
[ "$events" -ge 4 ] || fail "only $events events"
in_box rpm -V thread-exporter

step "systemctl enable --now: active, and the status tells what is watched"
in_box sed -i -e 's|^match = "thread-exporter"|name = "load"\ncomm = ["workload"]\nuser = ["worker"]|' /etc/thread-exporter.toml
in_box thread-exporter check
in_box systemctl enable --now thread-exporter
same is-active active "$(in_box systemctl is-active thread-exporter)"
same is-enabled enabled "$(in_box systemctl is-enabled thread-exporter)"
same "the daemon's user" thread-exporter "$(in_box stat -c %U "/proc/$(unit MainPID)")"
# status_tells PID: the status is brought up to date every ten seconds, and .NET starts and ends threads of its own.
status_tells() { [ "$(unit StatusText)" = "Watching 1 process with $(tids_of "$1" | wc -w) threads" ]; }
within 15 status_tells "$load_pid"

# truth NAME TID: the metric between the thread's own clock before and after the scrape. The kernel's figure of a running thread is as old
# as the last tick: 10 ms at the most, and as long again in case the virtual machine was held up.
truth() {
    local before after cpu user kernel labels
    ask workload "cpu $2"; before=$answer
    scrape
    ask workload "cpu $2"; after=$answer
    labels=('daemon="workload"' "ppid=\"$load_pid\"" 'pname="workload"' "tid=\"$2\"" "tname=\"$1\"")
    cpu=$(value perfscale_thread_cpu_seconds_total "${labels[@]}")
    user=$(value perfscale_thread_cpu_user_seconds_total "${labels[@]}")
    kernel=$(value perfscale_thread_cpu_kernel_seconds_total "${labels[@]}")
    note "$1: $cpu s"
    cpu=$(nanoseconds "$cpu")
    between "CPU time of $1" $((before - 20000000)) "$after" "$cpu"
    # These two are in whole ticks of 10 ms and read a moment later.
    between "user and kernel time of $1" $((cpu - 50000000)) $((cpu + 50000000)) $(($(nanoseconds "$user") + $(nanoseconds "$kernel")))
}

step "its metrics agree with the clocks of its threads"
sleep 1
truth hot "$hot"
truth half "$half"
truth idle "$idle"
same_threads() {
    local before after shown
    before=$(tids_of "$load_pid")
    scrape
    after=$(tids_of "$load_pid")
    shown=$(sed -nE '/^perfscale_thread_cpu_seconds_total\{/s/.* *[,{]tid="([0-9]+)".*/\1/p' "$stage/metrics" | sort | paste -sd' ')
    echo "threads before <$before> shown <$shown> after <$after>"
    [ "$before" = "$shown" ] && [ "$shown" = "$after" ]
}
# .NET may start or end a thread of its own just then.
within 10 same_threads
