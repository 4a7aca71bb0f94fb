#!/usr/bin/python3
"""make bench-top: what `thread-exporter top` costs while it shows 1,000 threads, and how long its first screen takes."""
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time

import report
from programs import OURS, Broken, Load, run_main

LIMIT = 300
THREADS = 1000
BUSY = 50
# Per cent of a core that each busy thread uses.
DUTY = 1
STARTS = 10
# Seconds before and during the measurement of the CPU: a few collections, which come every ten seconds.
WARM_UP = 10
MEASURED = 40
SIZES = ((80, 24), (200, 60))
# In the row of a busy thread, and on no screen without rows.
SIGN = b" busy "


class Screen:
    """The program in a terminal of this size, whose output is read and thrown away."""

    def __init__(self, arguments, columns, rows):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = {"PATH": "/usr/bin:/bin", "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        self.started = time.monotonic()
        self.process = subprocess.Popen([OURS, "top", *arguments], stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True)
        os.close(slave)

    def read_until(self, sign, seconds):
        """Reads until the sign has come, or for so many seconds. Returns when that was, in seconds since the start, and the bytes."""
        seen = b""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not select.select([self.master], [], [], max(0, end - time.monotonic()))[0]:
                break
            seen += os.read(self.master, 1 << 16)
            if sign and sign in seen:
                return time.monotonic() - self.started, len(seen)
        if sign:
            raise Broken(f"no thread on the screen after {seconds} s: {seen[-300:]}")
        return time.monotonic() - self.started, len(seen)

    def cpu(self):
        return time.clock_gettime_ns(((~self.process.pid) << 3) | 2)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.master)


def main():
    scale = float(os.environ.get("BENCH_SCALE", "1"))
    load_before = os.getloadavg()[0]
    figures = report.Figures()
    with Load(THREADS, BUSY, DUTY) as load:
        arguments = ["--filter", str(load.pid)]
        first = []
        for _ in range(max(3, int(STARTS * scale))):
            with Screen(arguments, 80, 24) as screen:
                first.append(screen.read_until(SIGN, 20)[0])
        first.sort()
        figures.at_most(f"{THREADS:,} threads, {BUSY} busy: from the command to the first screen with threads, median of {len(first)}", 0.3, first[len(first) // 2], " s")
        figures.note("the slowest of them", first[-1], " s")
        for columns, rows in SIZES:
            with Screen(arguments, columns, rows) as screen:
                screen.read_until(SIGN, 20)
                screen.read_until(None, WARM_UP * scale)
                cpu, begin = screen.cpu(), time.monotonic_ns()
                size = screen.read_until(None, MEASURED * scale)[1]
                share = (screen.cpu() - cpu) / (time.monotonic_ns() - begin)
                seconds = MEASURED * scale
            figures.at_most(f"CPU while it shows them at {columns} × {rows}, refreshed every 2 s", 2, share * 100, " % of a core")
            figures.note("bytes that it writes to the terminal", size / seconds, " bytes per second")
    report.publish("bench-top", f"{report.machine(load_before)}\n{figures.table()}")
    print(figures.summary())


if __name__ == "__main__":
    try:
        run_main(main, LIMIT)
    except OSError as error:
        sys.exit(f"bench-top: {error}")
