#!/usr/bin/python3
"""
make bench-huge: ten processes with many threads each. Shows what grows with the number of threads, and by how much.

    tests/bench/huge.py [THREADS_PER_PROCESS ...]

Without arguments: 1,000, 3,000 and 10,000. A size that the machine cannot hold is left out, and the output says why. As root it raises
kernel.pid_max and its own limit of open files while it runs, and restores pid_max at the end.
"""
import contextlib
import os
import resource
import sys
import time

import measure
import report
from programs import Load, Ours, run_main

LIMIT = 900
PROCESSES = 10
SIZES = (1000, 3000, 10000)
SCRAPES = 20
WARM_UP = 3
# Of all threads; they belong to the first process.
BUSY, DUTY = 10, 5
MEGABYTE = 1e6
PID_MAX = "/proc/sys/kernel/pid_max"
# Tasks of everything else on the machine.
OTHERS = 5000
# A task has a stack of 16 kB and structures of its own; its threads have stacks of 32 kB, of which two pages are used.
BYTES_PER_THREAD = 40_000
HEAD = ("Threads", "Settings", "CPU ms", "µs per thread", "gzip, CPU ms", "p50 ms", "first scrape s", "body MB", "gzip MB", "RSS MB", "RSS MB after gzip", "kernel MB")


def main(sizes):
    load_before = os.getloadavg()[0]
    rows, left_out = [], []
    for size in sizes:
        threads = size * PROCESSES
        with raised_limits(threads) as problem:
            if problem:
                left_out.append(f"{threads:,} threads were left out: {problem}.")
                continue
            print(f"bench-huge: {PROCESSES} processes of {size:,} threads", file=sys.stderr)
            with contextlib.ExitStack() as stack:
                loads = [stack.enter_context(Load(size, BUSY if i == 0 else 0, DUTY)) for i in range(PROCESSES)]
                rows += [run(loads, threads, name, settings) for name, settings in settings_for(threads)]
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most < max(sizes) * PROCESSES:
        left_out.append(f"The limit of open files was {most:,} and could not be raised: no more threads than that got a descriptor.")
    text = [report.machine(load_before), report.table(HEAD, rows), *left_out]
    report.publish("bench-huge", "\n".join(text))


def settings_for(threads):
    limits = f"[collector]\nmax_threads = {threads + 1000}\nmax_samples = {threads * 10}\n"
    yield "a descriptor for each thread", limits + f"max_descriptors = {threads + 1000}\n"
    yield "default `max_descriptors`", limits
    yield "default limits, `top = 20`", "[filter.threads]\ntop = 20\n"


def run(loads, threads, name, settings):
    # With top there are as many series as top asks for, of each process.
    shown = threads if "max_threads" in settings else None
    slab = measure.slab()
    with Ours(loads, shown, settings) as ours:
        kernel = measure.slab() - slab
        series = {}
        memory = {}
        for gzip in (True, False):
            series[gzip] = measure.Series()
            for i in range(WARM_UP + SCRAPES):
                time.sleep(min(measure.PAUSE))
                if i < WARM_UP:
                    ours.scrape(gzip)
                else:
                    series[gzip].take(ours, gzip)
            memory[gzip] = ours.memory()[0]
        plain = series[False]
        return (f"{threads:,}", name, f"{plain.mean_cpu() / 1e6:.1f}", f"{plain.mean_cpu() / 1e3 / threads:.2f}", f"{series[True].mean_cpu() / 1e6:.1f}",
                f"{plain.quantile(0.5) / 1e6:.1f}", f"{ours.ready_after:.2f}", f"{plain.size / MEGABYTE:.1f}", f"{series[True].size / MEGABYTE:.2f}",
                f"{memory[False] / MEGABYTE:.1f}", f"{memory[True] / MEGABYTE:.1f}", f"{kernel / MEGABYTE:.1f}")


@contextlib.contextmanager
def raised_limits(threads):
    """Makes room for the threads; what it yields says why that is not possible, or is None."""
    before = read(PID_MAX)
    try:
        yield raise_limits(threads, before)
    finally:
        if read(PID_MAX) != before:
            write(PID_MAX, before)


def raise_limits(threads, pid_max):
    needed = threads + OTHERS
    if needed > read("/proc/sys/kernel/threads-max"):
        return f"kernel.threads-max is {read('/proc/sys/kernel/threads-max'):,}"
    with open("/proc/meminfo", encoding="utf-8") as file:
        available = next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable:"))
    if needed * BYTES_PER_THREAD > available:
        return f"{available / MEGABYTE:,.0f} MB of memory are available"
    try:
        if pid_max < needed:
            write(PID_MAX, needed)
    except OSError as error:
        return f"kernel.pid_max is {pid_max:,}, and raising it failed ({error})"
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < needed:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (needed, needed))
    return None


def read(path):
    with open(path, encoding="utf-8") as file:
        return int(file.read())


def write(path, value):
    with open(path, "w", encoding="utf-8") as file:
        file.write(str(value))


if __name__ == "__main__":
    if not all(size.isdigit() for size in sys.argv[1:]):
        sys.exit(__doc__.strip())
    run_main(lambda: main([int(size) for size in sys.argv[1:]] or SIZES), LIMIT)
