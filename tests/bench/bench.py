#!/usr/bin/python3
"""make bench: cost of a scrape of thread-exporter, process-exporter and the cheapest possible reader. At most five minutes."""
import os
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

import measure
import report
from programs import OURS, PEER, ROOT, Broken, Floor, Load, Ours, Peer, allocations, run_main


class Workload(NamedTuple):
    title: str
    threads: int
    busy: int
    duty: int
    """Percent of a core that each busy thread uses."""
    churn: int
    """Threads started, and exited, per second."""
    over: float
    """When it must end: a share of the total time."""


IDLE = Workload("1,000 threads, all idle", 1000, 0, 0, 0, 0.22)
BUSY = Workload("1,000 threads, 50 of them busy at 1 %", 1000, 50, 1, 0, 0.34)
MANY_IDLE = Workload("10,000 threads, all idle", 10000, 0, 0, 0, 0.56)
MANY_BUSY = Workload("10,000 threads, 10 of them busy at 5 %", 10000, 10, 5, 0, 0.78)
CHURN = Workload("1,000 threads, 200 started and exited per second", 1000, 0, 0, 200, 0.90)

LIMIT = 300
STARTS = 5
CHECKS = 9
# Scrapes before resident memory is read, with gzip, as Prometheus scrapes.
RESIDENT_SCRAPES = 50
# Seconds; beyond this, fewer starts are measured.
LONGEST_STARTS = 10
SAMPLER_SECONDS = 8
# Seconds after the start when the daemon has returned the memory of its start (Hosting/HeapTrim): that is done once a minute, not in each window.
SETTLED = 4
MEGABYTE = 1e6


def main():
    # BENCH_SCALE=0.1 takes a tenth of the time, to try the benchmark itself; its figures mean little.
    scale = float(os.environ.get("BENCH_SCALE", "1"))
    load_before = os.getloadavg()[0]
    if not os.access(PEER, os.X_OK):
        print("prometheus-process-exporter is not installed: comparisons with it are left out", file=sys.stderr)
    extras = {"check": [check() for _ in range(CHECKS)]}
    results = {}
    begin = time.monotonic()
    with Load(1) as load, Ours(load, 1) as ours:
        extras["resident", 1] = resident(ours)
    for workload in (IDLE, BUSY, MANY_IDLE, MANY_BUSY, CHURN):
        print(f"bench: {workload.title}", file=sys.stderr)
        results[workload] = run(workload, begin + LIMIT * scale * workload.over, scale, extras)
    figures = judge(results, extras)
    text = [report.machine(load_before), figures.table(), *(report.result_table(w.title, r) for w, r in results.items())]
    report.publish("bench", "\n".join(text))
    print(figures.summary())


def run(workload, until, scale, extras):
    # With churn there is no fixed number of threads to wait for.
    count = None if workload.churn else workload.threads
    with Load(workload.threads, workload.busy, workload.duty, workload.churn) as load, Floor(load) as floor:
        if workload is IDLE:
            extras["starts"] = starts(load, count)
        slab = measure.slab()
        with Ours(load, count) as ours:
            if workload is MANY_IDLE:
                # One descriptor per thread, and one for the process.
                extras["kernel memory"] = (measure.slab() - slab) / (count + 1)
                extras["start at 10,000"] = ours.ready_after
                extras["resident", MANY_IDLE.threads] = resident(ours)
            if workload in (IDLE, BUSY):
                time.sleep(SETTLED * scale)
                extras["sampler", workload] = measure.idle_share(ours, SAMPLER_SECONDS * scale)
            if os.access(PEER, os.X_OK):
                with Peer(count) as peer:
                    result = measure.turns(floor, peer, ours, until)
            else:
                result = measure.turns(floor, None, ours, until)
        if workload in (IDLE, MANY_IDLE):
            extras["allocations", workload] = allocations(load)
    return result


def check():
    """Seconds of one check of the shipped configuration."""
    begin = time.monotonic()
    result = subprocess.run([OURS, "check", "--config", os.path.join(ROOT, "etc", "thread-exporter.toml")], check=False, capture_output=True, text=True)
    if result.returncode != 0:
        raise Broken(f"check failed: {result.stderr.strip()[-500:]}")
    return time.monotonic() - begin


def resident(ours):
    for _ in range(RESIDENT_SCRAPES):
        time.sleep(min(measure.PAUSE))
        ours.scrape(gzip=True)
    return ours.memory()[0]


def starts(load, count):
    seconds = []
    while len(seconds) < STARTS and sum(seconds) < LONGEST_STARTS:
        with Ours(load, count) as ours:
            seconds.append(ours.ready_after)
    return seconds


def judge(results, extras):
    figures = report.Figures()

    def ratio(workload, other, gzip=False):
        series = results[workload].series
        return series[other, gzip].mean_cpu() / series["ours", gzip].mean_cpu() if (other, gzip) in series else None

    figures.at_least("10,000 threads, 10 busy: CPU of process-exporter ÷ CPU of thread-exporter", 85, ratio(MANY_BUSY, "peer"))
    figures.at_least("the same, both with gzip", 85, ratio(MANY_BUSY, "peer", gzip=True))
    figures.at_least("10,000 threads, 10 busy: CPU of the C program ÷ CPU of thread-exporter", 2, ratio(MANY_BUSY, "floor"))
    figures.at_least("10,000 threads, all idle: CPU of process-exporter ÷ CPU of thread-exporter", 140, ratio(MANY_IDLE, "peer"))
    figures.at_least("the same, both with gzip", 140, ratio(MANY_IDLE, "peer", gzip=True))
    figures.at_least("1,000 threads, 50 busy: CPU of process-exporter ÷ CPU of thread-exporter", 50, ratio(BUSY, "peer"))
    for workload in (MANY_IDLE, MANY_BUSY):
        for gzip in (False, True):
            series = results[workload].series["ours", gzip]
            figures.at_most(f"{workload.title}{', gzip' if gzip else ''}: p99 ÷ p50", 3, series.quantile(0.99) / series.quantile(0.5))
    figures.at_most("10,000 threads, 10 busy: RssAnon + RssShmem", 40, results[MANY_BUSY].memory["ours"][1] / MEGABYTE, " MB")
    figures.at_most(f"RSS after {RESIDENT_SCRAPES} scrapes of a process of one thread", 34, extras["resident", 1] / MEGABYTE, " MB")
    figures.at_most(f"RSS after {RESIDENT_SCRAPES} scrapes of 10,000 threads", 42, extras["resident", MANY_IDLE.threads] / MEGABYTE, " MB")
    figures.note("10,000 threads: kernel memory per kept descriptor, not part of RSS", extras["kernel memory"], " bytes")
    few, many = extras["allocations", IDLE], extras["allocations", MANY_IDLE]
    figures.at_most("managed allocation per scrape: 10,000 threads ÷ 1,000 threads", 1.1, many / few)
    figures.note("managed allocation per scrape at 10,000 threads, without HTTP", many, " bytes")
    figures.at_most("sampler at 100 ms, 1,000 idle threads, no scrapes: share of a core", 0.15, extras["sampler", IDLE] * 100, " %")
    figures.at_most("sampler at 100 ms, 1,000 threads, 50 busy, no scrapes: share of a core", 0.35, extras["sampler", BUSY] * 100, " %")
    starts_median = statistics.median(extras["starts"])
    figures.at_most(f"start to first successful scrape of 1,000 threads, median of {len(extras['starts'])}", 0.15, starts_median, " s")
    figures.note("start to first successful scrape of 10,000 threads", extras["start at 10,000"], " s")
    figures.at_most(f"check of the shipped configuration, median of {CHECKS}", 0.06, statistics.median(extras["check"]), " s")
    figures.at_most("the published file", 22, os.path.getsize(OURS) / MEGABYTE, " MB")
    return figures


if __name__ == "__main__":
    run_main(main, LIMIT)
