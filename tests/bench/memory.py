#!/usr/bin/python3
"""make bench-memory: memory over 1,000 scrapes of 10,000 threads, and while a million threads start and exit."""
import os
import sys
import threading
import time

import measure
import report
from programs import Load, Ours, run_main

LIMIT = 900
MEGABYTE = 1e6
THREADS = 10000
# Warm-up: buffers reach their size, and the daemon has returned the memory of its start (Hosting/HeapTrim, after two seconds).
WARM_UP = 500
SCRAPES = 1000
MILLION = 1_000_000
PERSISTENT = 1000
# Seconds of scrapes after the million threads: the daemon returns the memory of garbage once a minute (Hosting/HeapTrim).
QUIET = 75
# Seconds between scrapes.
INTERVAL = 0.25


def main():
    scale = float(os.environ.get("BENCH_SCALE", "1"))
    load_before = os.getloadavg()[0]
    figures = report.Figures()
    print(f"bench-memory: {SCRAPES} scrapes", file=sys.stderr)
    scrapes(figures, int(SCRAPES * scale))
    for exit_records in (False, True):
        if exit_records and os.geteuid() != 0:
            print("bench-memory: without root, and so without exit records", file=sys.stderr)
            continue
        print(f"bench-memory: a million threads, exit records {'on' if exit_records else 'off'}", file=sys.stderr)
        million(figures, int(MILLION * scale), exit_records)
    report.publish("bench-memory", f"{report.machine(load_before)}\n{figures.table()}")
    print(figures.summary())


def scrapes(figures, count):
    with Load(THREADS, 10, 5) as load, Ours(load, THREADS) as ours:
        private = []
        for i in range(WARM_UP + count):
            # Every fourth with gzip, which Prometheus requests by default.
            ours.scrape(gzip=i % 4 == 3)
            private.append(ours.memory()[1])
        measured = private[WARM_UP:]
        figures.at_most(f"RssAnon + RssShmem after {count:,} scrapes of 10,000 threads, 10 busy", 40, measured[-1] / MEGABYTE, " MB")
        figures.note("its maximum during the scrapes", max(private) / MEGABYTE, " MB")
        figures.at_most("its slope (least squares)", 1000, measure.slope(measured), " bytes per scrape")


def million(figures, count, exit_records):
    records = "with exit records" if exit_records else "without exit records"
    with Load(PERSISTENT) as load, Ours(load, PERSISTENT, exit_records=exit_records) as ours:
        # As many again before: the heap reaches its size with the first ones, and only what comes after that is growth.
        _, before = scrape_while(ours, load, f"spawn {count}")
        most, after = scrape_while(ours, load, f"spawn {count}")
        figures.note(f"RssAnon + RssShmem at 1,000 threads, after a first {count:,} short-lived threads, {records}", before / MEGABYTE, " MB")
        figures.note("its maximum while these ran, with four scrapes per second", most / MEGABYTE, " MB")
        figures.at_most(f"growth after {count:,} more threads", 1, (after - before) / MEGABYTE, " MB")


def scrape_while(ours, load, command):
    """
    Scrapes until the load has finished the command, and QUIET seconds longer. Returns the maximum of private memory, and its minimum in the QUIET
    seconds: between two garbage collections memory varies by the size of the first generation (1 MB), which is not growth.
    """
    done = threading.Event()

    def tell():
        load.request(command)
        done.set()

    threading.Thread(target=tell, daemon=True).start()
    most = 0
    while not done.wait(INTERVAL):
        ours.scrape(gzip=True)
        most = max(most, ours.memory()[1])
    quiet = []
    for _ in range(int(QUIET / INTERVAL)):
        time.sleep(INTERVAL)
        ours.scrape(gzip=True)
        quiet.append(ours.memory()[1])
    return most, min(quiet)


if __name__ == "__main__":
    run_main(main, LIMIT)
