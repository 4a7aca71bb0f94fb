"""The cost of a scrape for each program, measured in turns, so that other activity of the machine affects all of them."""
import math
import random
import time
from dataclasses import dataclass, field

# After a response: work of a program after the last byte was sent (garbage collection, for example) belongs to the scrape.
SETTLE = 0.005
# Between two scrapes of ours: longer than the period of the busy threads, and not in step with it or with the sampler.
PAUSE = (0.1, 0.2)
OURS_PER_ROUND = 20
OURS_AT_LEAST = 5


@dataclass
class Series:
    """The scrapes of one program in one format."""

    cpu: list = field(default_factory=list)
    latency: list = field(default_factory=list)
    size: int = 0

    def take(self, program, gzip=False):
        cpu = program.cpu()
        begin = time.monotonic_ns()
        self.size = program.scrape(gzip)
        self.latency.append(time.monotonic_ns() - begin)
        time.sleep(SETTLE)
        self.cpu.append(program.cpu() - cpu)

    def mean_cpu(self):
        return sum(self.cpu) / len(self.cpu)

    def quantile(self, share):
        """Quantile of the latency: the smallest value that this share of the scrapes does not exceed."""
        return sorted(self.latency)[math.ceil(share * len(self.latency)) - 1]


@dataclass
class Result:
    """One workload: series by program and gzip, memory by program (resident, private)."""

    series: dict
    memory: dict


def turns(floor, peer, ours, until):
    """Rounds of all programs until the time is over, at least one. The first scrape of each program is not counted."""
    series = {key: Series() for key in (("ours", False), ("ours", True), ("peer", False), ("peer", True), ("floor", False))}
    for program, name in ((floor, "floor"), (peer, "peer"), (ours, "ours")):
        for gzip in (False, True):
            if program and (name, gzip) in series:
                program.scrape(gzip)
    rounds = 0
    while rounds < 1 or time.monotonic() < until:
        rounds += 1
        series["floor", False].take(floor)
        for gzip in (False, True):
            if peer:
                series["peer", gzip].take(peer, gzip)
        for gzip in (False, True):
            for i in range(OURS_PER_ROUND):
                time.sleep(random.uniform(*PAUSE))
                series["ours", gzip].take(ours, gzip)
                if i >= OURS_AT_LEAST and time.monotonic() > until:
                    break
    memory = {"ours": ours.memory(), "floor": floor.memory()}
    if peer:
        memory["peer"] = peer.memory()
    return Result({key: value for key, value in series.items() if value.cpu}, memory)


def idle_share(program, seconds):
    """The share of a core that a program uses without scrapes."""
    cpu = program.cpu()
    begin = time.monotonic_ns()
    time.sleep(seconds)
    return (program.cpu() - cpu) / (time.monotonic_ns() - begin)


def slab():
    """The kernel's own memory on the whole machine, in bytes."""
    with open("/proc/meminfo", encoding="utf-8") as meminfo:
        return next(int(line.split()[1]) * 1024 for line in meminfo if line.startswith("Slab:"))


def slope(values):
    """Slope of the least-squares line through equidistant values."""
    middle = (len(values) - 1) / 2
    mean = sum(values) / len(values)
    return sum((i - middle) * (v - mean) for i, v in enumerate(values)) / sum((i - middle) ** 2 for i in range(len(values)))
