#!/usr/bin/python3
"""Where the CPU of a scrape goes: perf samples of the daemon, sorted into stages. Needs perf; as root.

    tests/bench/profile.py THREADS BUSY DUTY_PERCENT [gzip]
"""
import collections
import os
import subprocess
import sys
import tempfile
import time

from programs import Broken, Load, Ours, run_main

SCRAPES = 60
PAUSE = 0.15
# The first of these that is in the stack of a sample decides.
STAGES = (
    ("kernel: summing all threads for the process clock and stat", ("thread_group_cputime", "thread_group_sample_cputime", "do_task_stat")),
    ("kernel: reading schedstat and the like", ("__x64_sys_pread64", "__arm64_sys_pread64")),
    ("kernel: opening and closing", ("openat", "__x64_sys_close", "__fput")),
    ("kernel: sending", ("tcp_sendmsg", "net_rx_action", "tcp_recvmsg")),
    ("kernel: listing /proc", ("getdents64",)),
    ("kernel: switching between the daemon's threads", ("schedule", "futex", "epoll_wait", "sched_yield", "finish_task_switch")),
    ("gzip", ("deflate", "longest_match")),
    ("rendering", ("RenderText", "ThreadMetrics__", "SelfMetrics__", "DecimalText__")),
    ("collection", ("Collector__", "ProcessTable__", "ProcessReader__", "ThreadReader__", "Sampler__")),
    ("Kestrel, sockets, thread pool", ("AspNetCore", "System_Net", "System_IO_Pipelines", "System_Threading")),
)


def main():
    threads, busy, duty = map(int, sys.argv[1:4])
    gzip = "gzip" in sys.argv[4:]
    # perf finds the names in dist/thread-exporter.dbg.
    with Load(threads, busy, duty) as load, Ours(load, threads) as ours, tempfile.TemporaryDirectory() as directory:
        for _ in range(10):
            ours.scrape(gzip)
        data = os.path.join(directory, "perf.data")
        with subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock", "-F", "5000", "-g", "-o", data, "-p", str(ours.pid)]) as perf:
            time.sleep(1)
            cpu = ours.cpu()
            for _ in range(SCRAPES):
                ours.scrape(gzip)
                time.sleep(PAUSE)
            cpu = (ours.cpu() - cpu) / SCRAPES / 1e6
            perf.terminate()
        script = subprocess.run(["perf", "script", "-i", data, "-F", "comm,ip,sym"], check=False, capture_output=True, text=True)
    stages = collections.Counter(stage(sample) for sample in script.stdout.split("\n\n") if sample.strip())
    total = stages.total()
    if not total:
        raise Broken(f"perf has no samples: {script.stderr.strip()[-300:]}")
    print(f"{cpu:.1f} ms of CPU per scrape and the {PAUSE} s after it")
    for name, count in stages.most_common():
        print(f"{100 * count / total:5.1f} %  {name}")


def stage(sample):
    first = sample.split("\n", 1)[0]
    where = ", sampler" if first.startswith("sampler") else ""
    for name, signs in STAGES:
        if any(sign in sample for sign in signs):
            return name + where
    return "anything else (runtime, garbage collection)"


if __name__ == "__main__":
    run_main(main, 300)
