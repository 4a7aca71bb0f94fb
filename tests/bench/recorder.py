#!/usr/bin/python3
"""make bench-recorder: what the recorder costs, as the difference between two exporters that watch the same threads at the same time."""
import os
import sqlite3
import sys
import tempfile
import time

import report
from programs import OURS, Load, Ours, run_main

LIMIT = 600
MEGABYTE = 1e6
THREADS, BUSY, DUTY = 1000, 50, 1
# Thirty-six intervals of five seconds.
SECONDS = 180
DAY = 24 * 3600 // 5
# What SQLite adds to the rows of an interval: its sums, its place in the index, page ends. RecordedDayTests measures a whole day.
OVERHEAD = 100
# Three intervals, then as many scrapes as in bench.py.
SMALL_SECONDS, SMALL_SCRAPES = 17, 50


def main():
    scale = float(os.environ.get("BENCH_SCALE", "1"))
    load_before = os.getloadavg()[0]
    figures = report.Figures()
    print("bench-recorder: a small process", file=sys.stderr)
    small(figures)
    print("bench-recorder: 1,000 threads", file=sys.stderr)
    share(figures, SECONDS * scale)
    figures.at_most("the published file", 22, os.path.getsize(OURS) / MEGABYTE, " MB")
    report.publish("bench-recorder", f"{report.machine(load_before)}\n{figures.table()}")
    print(figures.summary())


def small(figures):
    with tempfile.TemporaryDirectory(prefix="te-state-") as state, Load(1) as load, Ours(load, 1) as without, Ours(load, 1, state=state) as recording:
        time.sleep(SMALL_SECONDS)
        for _ in range(SMALL_SCRAPES):
            for exporter in (without, recording):
                exporter.scrape(gzip=True)
            time.sleep(0.1)
        figures.at_most("RSS with the recorder, one thread watched", 34, recording.memory()[0] / MEGABYTE, " MB")
        figures.note("RSS without it", without.memory()[0] / MEGABYTE, " MB")


def share(figures, seconds):
    with tempfile.TemporaryDirectory(prefix="te-state-") as state, Load(THREADS, BUSY, DUTY) as load:
        with Ours(load, THREADS) as without, Ours(load, THREADS, state=state) as recording:
            begin, before = time.monotonic(), (without.cpu(), recording.cpu())
            time.sleep(seconds)
            elapsed = (time.monotonic() - begin) * 1e9
            shares = [(exporter.cpu() - cpu) / elapsed * 100 for exporter, cpu in zip((without, recording), before)]
        # The process was killed: everything that was committed is there.
        with sqlite3.connect(os.path.join(state, "recorder.db")) as database:
            count, size = database.execute("SELECT count(*), sum(length(data)) FROM rows").fetchone()
    figures.at_most(f"recorder, {THREADS:,} threads, {BUSY} of them at {DUTY} %, no scrapes: share of a core", 0.3, shares[1] - shares[0], " %")
    figures.note("the exporter without it", shares[0], " %")
    figures.note("intervals recorded", count)
    figures.at_most("a day at this rate", 64 * 1.048576, DAY * (size / count + OVERHEAD) / MEGABYTE, " MB")


if __name__ == "__main__":
    run_main(main, LIMIT)
