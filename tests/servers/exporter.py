"""The exporter under test, and what a scrape of it says."""
import http.client
import os
import re
import socket
import time
from dataclasses import dataclass
from decimal import Decimal

from machine import TIMEOUT, Broken, Child

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILDS = [os.path.join(ROOT, "src/ThreadExporter/bin/Release/net10.0/thread-exporter"), os.path.join(ROOT, "dist/thread-exporter")]
FILTER = "servers"
SAMPLE = re.compile(r"([a-z_]+)(?:\{(.*)\})? ([^ ]+)$")


def binary():
    """The exporter: TE_BINARY, or what was built last."""
    given = os.environ.get("TE_BINARY")
    found = [path for path in ([given] if given else BUILDS) if os.access(path, os.X_OK)]
    if not found:
        raise Broken(f"{given} is not a program" if given else "the exporter is not built: dotnet build src/ThreadExporter -c Release")
    return max((os.path.abspath(path) for path in found), key=os.path.getmtime)


@dataclass
class Scrape:
    """The series of the server, by family and labels. Seconds are nanoseconds, as the exporter counts them."""

    at: float
    """Monotonic time."""
    usage: int
    """CPU time of the cgroup."""
    clock: int
    """CPU clock of the server's first process, in the kernel."""
    families: dict
    counters: set

    def series(self, family):
        return self.families.get(family, {})

    def total(self, family):
        return sum(self.series(family).values())

    def count(self):
        """Series of the server; those of the exporter itself are not among them."""
        return sum(len(series) for family, series in self.families.items() if family.startswith("perfscale_"))


class Exporter(Child):
    """With no capability, or with the one that exit records need and no other."""

    def __init__(self, directory, server, records):
        program = binary()
        owner = os.stat(program)
        config = os.path.join(directory, "servers.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f'[[filter]]\nname = "{FILTER}"\ncomm = ["{server.COMM}"]\n')
            if server.GROUP:
                file.write("children = true\ngroup = true\n")
        os.chown(directory, owner.st_uid, owner.st_gid)
        self.port = free_port()
        capabilities = "-all,+net_admin" if records else "-all"
        environment = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME") or key.startswith("DOTNET_")}
        environment.update(RUNTIME_DIRECTORY=directory, DOTNET_EnableDiagnostics="0")
        # Root without capabilities reads only its own files, so it runs as the one whom the build belongs to.
        super().__init__(["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups", "--no-new-privs",
                          f"--bounding-set={capabilities}", f"--inh-caps={capabilities}", f"--ambient-caps={capabilities}",
                          program, "--config", config, "--web.listen-address", f"127.0.0.1:{self.port}"],
                         os.path.join(directory, "exporter.log"), environment=environment)
        self.name = "thread-exporter"

    def ready(self):
        """Waits until it shows the server."""
        for _ in range(TIMEOUT * 10):
            if not self.running():
                raise self.broken(f"ended with {self.process.returncode}")
            try:
                if "\nperfscale_process_cpu_seconds_total{" in self.text():
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise self.broken(f"did not show the server within {TIMEOUT} s")

    def text(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        try:
            connection.request("GET", "/metrics")
            response = connection.getresponse()
            body = response.read().decode()
        finally:
            connection.close()
        if response.status != 200:
            raise self.broken(f"responded with {response.status}")
        return body

    def scrape(self, cgroup, pid):
        begin = time.monotonic()
        usage = cgroup.usage()
        # As clock_getcpuclockid(3) returns it.
        clock = time.clock_gettime_ns((~pid << 3) | 2)
        families, counters = parse(self.text())
        return Scrape(begin, usage, clock, families, counters)


def parse(text):
    families, counters = {}, set()
    for line in text.splitlines():
        if line.startswith("#"):
            words = line.split(" ")
            if words[1] == "TYPE" and words[3] == "counter":
                counters.add(words[2])
        elif line:
            match = SAMPLE.match(line)
            if not match:
                raise Broken(f"a line of the exporter cannot be read: {line}")
            name, labels, value = match.groups()
            series = families.setdefault(name, {})
            if labels in series:
                raise Broken(f"a series appears twice: {line}")
            series[labels] = int(Decimal(value) * 10**9) if name.endswith("_seconds_total") else Decimal(value)
    return families, counters


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
