"""The figures, from the scrapes of a run: the first and the last while the server is quiet, the others under load."""
from dataclasses import dataclass

THREADS = "perfscale_thread_cpu_seconds_total"
PROCESS = "perfscale_process_cpu_seconds_total"
EXITED = "perfscale_process_exited_threads_cpu_seconds_total"
FOLDED = "perfscale_process_folded_threads_cpu_seconds_total"
TRANSIENT = "perfscale_process_transient_threads_cpu_seconds_total"
AVAILABLE = "thread_exporter_exit_records_available"
COLLECTIONS = "thread_exporter_collections_total"
LOST = "thread_exporter_exit_records_lost_total"
ESTIMATED = "thread_exporter_exited_cpu_estimated_seconds_total"
# Nanoseconds per part: the digits printed.
ROUNDING = 2


@dataclass
class Figure:
    name: str
    target: str
    measured: str
    verdict: str
    """met, missed, skipped, or - for a figure without a target."""


def judged(name, target, measured, met):
    return Figure(name, target, measured, "met" if met else "missed")


def note(name, measured):
    return Figure(name, "-", measured, "-")


def skipped(name, why):
    return Figure(name, "-", str(why), "skipped")


def pairs(scrapes):
    return zip(scrapes, scrapes[1:])


def rise(scrapes, family):
    return scrapes[-1].total(family) - scrapes[0].total(family)


def risen(before, after, family):
    """Increases of the series that are in both scrapes, as a query sees them."""
    old = before.series(family)
    return sum(value - old[labels] for labels, value in after.series(family).items() if labels in old)


def ratios(what, scrapes, group):
    """CPU time of the exporter's series beside the kernel's.

    A group is judged by its cgroup. A process is judged by its CPU clock, which is all that the kernel shows of it: when a thread exits, the
    kernel adds its run time up to the last update, and the rest is in the cgroup alone. With a thread per statement this is some percent.
    """
    first, last = scrapes[0], scrapes[-1]
    cpu = rise(scrapes, PROCESS)

    def beside(whose, kernel, judge):
        name, target = f"{what}: CPU ÷ {whose}", "0.98 to 1.02"
        measured = f"{cpu / kernel:.4f} ({cpu / 1e9:.2f} s of {kernel / 1e9:.2f} s)"
        if not judge:
            return note(name, measured)
        met = 0.98 <= cpu / kernel <= 1.02
        return judged(name, target, measured if met else measured + drift(scrapes), met)

    result = [beside("its cgroup's", last.usage - first.usage, group)]
    return result if group else [beside("the kernel's clock of it", last.clock - first.clock, True), *result]


def drift(scrapes):
    """Where the difference arose: seconds shown minus seconds of the cgroup, from scrape to scrape."""
    return ", difference by scrape: " + " ".join(f"{(rise((a, b), PROCESS) - b.usage + a.usage) / 1e9:+.3f}" for a, b in pairs(scrapes))


def named(scrapes):
    """The share of the CPU time that is under the name of a thread, live or exited."""
    return sum(risen(a, b, THREADS) + risen(a, b, EXITED) for a, b in pairs(scrapes)) / rise(scrapes, PROCESS)


def share(what, scrapes, least):
    name, percent = f"{what}: share under a thread's name", 100 * named(scrapes)
    return note(name, f"{percent:.1f} %") if least is None else judged(name, f"at least {least} %", f"{percent:.1f} %", percent >= least)


def records(what, scrapes):
    """How much is estimated, and whether records were lost or paused."""
    away = sum(not scrape.total(AVAILABLE) for scrape in scrapes)
    return [note(f"{what}: of this estimated", f"{100 * rise(scrapes, ESTIMATED) / rise(scrapes, PROCESS):.1f} %"),
            note(f"{what}: records lost", f"{rise(scrapes, LOST)}, paused in {away} of {len(scrapes)} scrapes")]


def unavailable(scrape):
    """Why there are no exit records, if so."""
    if not scrape.series(AVAILABLE):
        return "this build has no exit records"
    return None if scrape.total(AVAILABLE) else f"{AVAILABLE} is 0"


def balance(what, scrapes):
    """Whether the parts add up to the whole between any two successive collections."""
    worst, bad = 0, []
    for number, (a, b) in enumerate(pairs(scrapes), 1):
        if b.total(COLLECTIONS) - a.total(COLLECTIONS) != 1:
            bad.append(f"scrape {number} is not the next collection")
        families = (PROCESS, THREADS, FOLDED, TRANSIENT, EXITED)
        parts = [risen(a, b, family) for family in families]
        off = abs(parts[0] - sum(parts[1:]))
        worst = max(worst, off)
        if off > ROUNDING * sum(len(b.series(family)) for family in families):
            bad.append(f"scrape {number} is off by {off} ns")
    return judged(f"{what}: CPU = sum of its parts", f"{ROUNDING} ns per part", "; ".join(bad[:3]) or f"off by at most {worst} ns", not bad)


def rising(what, scrapes):
    """Whether every counter of the server rises or stays. The series of a reused thread id starts again at 0, so series with a tid are left out."""
    fell, count = [], 0
    for a, b in pairs(scrapes):
        for family in sorted(b.counters):
            old = a.series(family)
            for labels, value in b.series(family).items():
                if labels in old and "tid=" not in (labels or ""):
                    count += 1
                    if value < old[labels]:
                        fell.append(f"{family} by {old[labels] - value}")
    return judged(f"{what}: counters that fell", "0", f"{len(fell)} of {count}" + (f": {fell[0]}" if fell else ""), not fell)


def steady(what, scrapes, early):
    """Series under load: at the end no more than after the first seconds."""
    loaded = scrapes[1:-1]
    start = loaded[0].at
    first = next((scrape for scrape in loaded if scrape.at - start >= early - 1), loaded[0])
    last = loaded[-1]
    return judged(f"{what}: series after {last.at - start:.0f} s", f"no more than after {first.at - start:.0f} s: {first.count()}", str(last.count()),
                  last.count() <= first.count())


def table(figures):
    rows = [("figure", "target", "measured", "met/missed"), *((f.name, f.target, f.measured, f.verdict) for f in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return "\n".join([lines[0], "-|-".join("-" * width for width in widths), *lines[1:]])


def summary(figures):
    count = [sum(figure.verdict == verdict for figure in figures) for verdict in ("met", "missed", "skipped")]
    return "servers: {} passed, {} failed, {} skipped".format(*count)
