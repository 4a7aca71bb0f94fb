#!/usr/bin/python3
"""make bench-memory: what memory does over 1,000 scrapes of 10,000 threads, and while a million threads come and go."""
import os
import sys
import threading

import measure
import report
from programs import Load, Ours, run_main

LIMIT = 300
MEGABYTE = 1e6
THREADS = 10000
# The first ones warm up: code is compiled, buffers find their size.
WARM_UP = 100
SCRAPES = 1000
MILLION = 1_000_000
PERSISTENT = 1000
# Seconds between scrapes while the million come and go.
# Enough for several collections of garbage.
QUIET = 200
INTERVAL = 0.25


def main():
    scale = float(os.environ.get("BENCH_SCALE", "1"))
    load_before = os.getloadavg()[0]
    figures = report.Figures()
    print(f"bench-memory: {SCRAPES} scrapes", file=sys.stderr)
    scrapes(figures, int(SCRAPES * scale))
    print("bench-memory: a million threads", file=sys.stderr)
    million(figures, int(MILLION * scale))
    report.publish("bench-memory", f"{report.machine(load_before)}\n{figures.table()}")
    print(figures.summary())


def scrapes(figures, count):
    with Load(THREADS, 10, 5) as load, Ours(load, THREADS) as ours:
        private = []
        for i in range(WARM_UP + count):
            # Every fourth as Prometheus asks by default.
            ours.scrape(gzip=i % 4 == 3)
            private.append(ours.memory()[1])
        measured = private[WARM_UP:]
        figures.at_most(f"RssAnon + RssShmem after {count:,} scrapes of 10,000 threads, 10 busy", 40, measured[-1] / MEGABYTE, " MB")
        figures.note("its highest value meanwhile", max(private) / MEGABYTE, " MB")
        figures.at_most("its least-squares slope", 1000, measure.slope(measured), " bytes a scrape")


def million(figures, count):
    with Load(PERSISTENT) as load, Ours(load, PERSISTENT) as ours:
        _, before = scrape_while(ours, load, f"spawn {count // 20}")
        most, after = scrape_while(ours, load, f"spawn {count}")
        figures.note("RssAnon + RssShmem at 1,000 threads, before a million have come and gone beside them", before / MEGABYTE, " MB")
        figures.note("its highest value while they did, scraped four times a second", most / MEGABYTE, " MB")
        figures.at_most(f"more after {count:,} threads", 1, (after - before) / MEGABYTE, " MB")


def scrape_while(ours, load, command):
    """
    Scrapes until the load has done what it was told, and QUIET times more. Returns the most private memory seen, and the least in the quiet: between
    two collections of garbage memory goes up and down by the megabyte of the first generation, which is no growth.
    """
    done = threading.Event()

    def tell():
        load.ask(command)
        done.set()

    threading.Thread(target=tell, daemon=True).start()
    most = 0
    while not done.wait(INTERVAL):
        ours.scrape(gzip=True)
        most = max(most, ours.memory()[1])
    quiet = []
    for _ in range(QUIET):
        ours.scrape(gzip=True)
        quiet.append(ours.memory()[1])
    return most, min(quiet)


if __name__ == "__main__":
    run_main(main, LIMIT)
