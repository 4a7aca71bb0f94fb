#!/usr/bin/python3
"""
The CPU time of a scrape of two builds, in turns, over the same threads.

    tests/bench/compare.py OLD NEW [SECONDS]

OLD and NEW are published files (make publish). Each workload takes SECONDS (40).
"""
import statistics
import sys
import time

import programs
from measure import Series
from programs import Load, Ours, run_main

WORKLOADS = (("1,000 threads, all idle", 1000, 0, 0), ("1,000 threads, 50 busy at 1 %", 1000, 50, 1),
             ("10,000 threads, all idle", 10000, 0, 0), ("10,000 threads, 10 busy at 5 %", 10000, 10, 5))
PAUSE = 0.15
TARGET = 1.03


class Build(Ours):
    def __init__(self, path, load, threads):
        programs.OURS = path
        super().__init__(load, threads)


def main():
    old, new = sys.argv[1:3]
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 40
    print(f"| Workload | old, CPU ms | new, CPU ms | new ÷ old (target {TARGET}) |\n| --- | ---: | ---: | ---: |")
    for title, threads, busy, duty in WORKLOADS:
        with Load(threads, busy, duty) as load, Build(old, load, threads) as first, Build(new, load, threads) as second:
            series = Series(), Series()
            for program in (first, second) * 5:
                program.scrape()
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                for program, one in zip((first, second), series):
                    time.sleep(PAUSE)
                    one.take(program)
        # The median: one scrape beside somebody else's work does not count.
        before, after = (statistics.median(one.cpu) / 1e6 for one in series)
        print(f"| {title} | {before:.2f} | {after:.2f} | {after / before:.3f} |", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__.strip())
    run_main(main, 600)
