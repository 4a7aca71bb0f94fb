"""The programs that the benchmark starts, and what the kernel reports about a process."""
import gzip
import http.client
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, "dist", "bench")
OURS = os.path.join(ROOT, "dist", "thread-exporter")
PEER = "/usr/bin/prometheus-process-exporter"
# Seconds. No wait of the benchmark takes this long unless something is broken.
TIMEOUT = 120


class Broken(Exception):
    """The benchmark itself failed. A missed target is not such an error."""


def run_main(main, limit):
    """Exits with 1 when the benchmark itself failed, at the latest after the limit in seconds."""
    def stop(*_):
        raise Broken(f"not finished after {limit} s; the machine is too busy or too slow")

    signal.signal(signal.SIGALRM, stop)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.alarm(limit)
    try:
        prepare()
        main()
    except Broken as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(1)


def prepare():
    # One descriptor for each watched thread; the daemon raises the soft limit itself, but nothing can exceed the hard limit.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and hard < 10500:
        print(f"bench: ulimit -Hn is {hard}: not each of 10,000 threads gets a descriptor, which makes the figures worse", file=sys.stderr)
    os.makedirs(BUILD, exist_ok=True)
    for name in ("load", "floor"):
        compiler = ["gcc", "-O2", "-Wall", "-Wextra", "-pthread", "-o", os.path.join(BUILD, "bench-" + name), os.path.join(HERE, name + ".c")]
        try:
            subprocess.run(compiler, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise Broken(f"cannot compile {name}.c: {error}") from error


def allocations(load):
    """Managed bytes that one scrape of the load allocates, without HTTP: tests/Benchmarks."""
    program = os.path.join(ROOT, "tests", "Benchmarks", "bin", "Release", "net10.0", "benchmarks")
    result = subprocess.run([program, "allocations", str(load.pid)], check=False, capture_output=True, text=True)
    if result.returncode != 0:
        raise Broken(f"tests/Benchmarks failed: {result.stderr.strip()[-500:]}")
    return int(result.stdout)


class Program:
    """A child process. Its CPU time is read from its process clock: all its threads, including exited ones, in nanoseconds."""

    def __init__(self, command, **more):
        self.errors = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen(command, stderr=self.errors, text=True, **more)
        self.pid = self.process.pid

    def cpu(self):
        # As clock_getcpuclockid(3) returns it: the bits are those of the kernel's posix-timers.h.
        return time.clock_gettime_ns(((~self.pid) << 3) | 2)

    def memory(self):
        """Resident bytes: all, and the private ones (RssAnon + RssShmem)."""
        with open(f"/proc/{self.pid}/status", encoding="utf-8") as status:
            fields = dict(line.split(":", 1) for line in status)
        kilobytes = {key: int(value.split()[0]) for key, value in fields.items() if key in ("VmRSS", "RssAnon", "RssShmem")}
        return kilobytes["VmRSS"] * 1024, (kilobytes["RssAnon"] + kilobytes["RssShmem"]) * 1024

    def broken(self, what):
        # Not left behind when it breaks before the with statement has it.
        self.process.kill()
        self.errors.seek(0)
        return Broken(f"{what}: {self.errors.read().strip()[-500:]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()
        self.errors.close()


class LineProgram(Program):
    """A program that responds to each line with a line."""

    def __init__(self, name, *arguments):
        super().__init__([os.path.join(BUILD, "bench-" + name), *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def request(self, line="go"):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.response()

    def response(self):
        line = self.process.stdout.readline().strip()
        if not line:
            raise self.broken("ended without a response")
        return line


class Load(LineProgram):
    def __init__(self, threads, busy=0, duty=0, churn=0):
        super().__init__("load", threads, busy, duty, churn)
        self.response()


class Floor(LineProgram):
    """The C program that opens, reads and closes one file per thread."""

    def __init__(self, load):
        super().__init__("floor", load.pid)

    def scrape(self, _=False):
        return int(self.request())


class Server(Program):
    """An exporter. One connection is kept, as Prometheus does."""

    def __init__(self, command, port, environment=None):
        self.started = time.monotonic()
        super().__init__(command, stdout=subprocess.DEVNULL, env=environment)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        self.buffer = bytearray(1 << 20)

    def scrape(self, gzip=False):
        """Returns the length of the body."""
        self.connection.request("GET", "/metrics", headers={"Accept-Encoding": "gzip"} if gzip else {})
        response = self.connection.getresponse()
        length = 0
        while read := response.readinto(self.buffer):
            length += read
        if response.status != 200:
            raise self.broken(f"a scrape got {response.status}")
        if (response.getheader("Content-Encoding") == "gzip") != gzip:
            raise self.broken("a scrape got the wrong encoding")
        return length

    def compressed_text(self):
        self.connection.request("GET", "/metrics", headers={"Accept-Encoding": "gzip"})
        return self.connection.getresponse().read()

    def wait(self, sign, count):
        """Scrapes until the text contains the sign this many times; None: at least once. Returns the seconds since the start."""
        while True:
            try:
                # As Prometheus asks: an uncompressed text would need memory that none of its scrapes needs.
                compressed = self.compressed_text()
                seconds = time.monotonic() - self.started
                found = gzip.decompress(compressed).count(sign)
                if found == count or (count is None and found):
                    return seconds
                problem = f"shows {found} times {sign.decode()}, not {count or 'once'}"
            except OSError as error:
                self.connection.close()
                problem = str(error)
            if self.process.poll() is not None:
                raise self.broken(f"ended with {self.process.returncode}")
            if time.monotonic() - self.started > TIMEOUT:
                raise self.broken(problem)
            time.sleep(0.002)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Ours(Server):
    """
    The published file with the defaults of every key, but those in the settings (TOML that follows the filter). As the unit starts it, it has no
    CAP_NET_ADMIN: with exit records, what else happens on the machine would be part of the figures. Without a state directory its recorder is off.
    """

    def __init__(self, load, threads, settings="", exit_records=False, state=None):
        # Ready when it shows this many threads; None: their number changes all the time.
        self.directory = tempfile.TemporaryDirectory(prefix="te-bench-")
        config = os.path.join(self.directory.name, "bench.toml")
        with open(config, "w", encoding="utf-8") as file:
            pids = ", ".join(str(one.pid) for one in (load if isinstance(load, list) else [load]))
            file.write(f"[[filter]]\npid = [{pids}]\n{settings}")
        # The daemon waits until a file that was just written no longer changes (ConfigFile.SettleTime), which no start on a host has to.
        time.sleep(0.15)
        port = free_port()
        environment = {"PATH": "/usr/bin:/bin", "RUNTIME_DIRECTORY": self.directory.name}
        if state:
            environment["STATE_DIRECTORY"] = state
        command = [OURS, "--config", config, "--web.listen-address", f"127.0.0.1:{port}"]
        if os.geteuid() == 0 and not exit_records:
            command = ["/usr/bin/setpriv", "--bounding-set=-net_admin", *command]
        super().__init__(command, port, environment)
        self.ready_after = self.wait(b"\nperfscale_thread_cpu_seconds_total{", threads)

    def __exit__(self, *_):
        super().__exit__()
        self.directory.cleanup()


class Peer(Server):
    """Debian's prometheus-process-exporter, without reading smaps, for which ours has no equivalent."""

    def __init__(self, threads):
        port = free_port()
        super().__init__([PEER, "-threads", "-children=false", "-gather-smaps=false", "-procnames", "bench-load",
                          "-web.listen-address", f"127.0.0.1:{port}"], port)
        self.wait(f'namedprocess_namegroup_num_threads{{groupname="bench-load"}} {threads or ""}'.encode(), None)
