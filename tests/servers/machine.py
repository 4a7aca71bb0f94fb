"""What the test needs of the machine: cgroups, and processes that are ended by their pid."""
import os
import secrets
import signal
import subprocess
import time

# Seconds. No wait takes this long unless something is broken.
TIMEOUT = 60


class Skip(Exception):
    """The test cannot run here. The text says why."""


class Broken(Exception):
    """The test itself failed. A missed target is not such an error."""


class Cgroup:
    """A cgroup of its own, in which the kernel counts the CPU time of a server: the truth beside which the exporter is measured."""

    def __init__(self):
        for kind, point in _mounts():
            path = os.path.join(point, f"te-test-{secrets.token_hex(4)}")
            try:
                os.mkdir(path)
            except OSError as error:
                problem = f"{point}: {error.strerror}"
                continue
            self.path, self.version = path, 1 if kind == "cgroup" else 2
            try:
                self.usage()
                return
            except (OSError, ValueError) as error:
                problem = f"{point}: {error}"
                os.rmdir(path)
        raise Skip(f"no cgroup with CPU accounting can be created ({locals().get('problem', 'none is mounted')})")

    def usage(self):
        """CPU time in nanoseconds."""
        if self.version == 1:
            return int(_read(os.path.join(self.path, "cpuacct.usage")))
        for line in _read(os.path.join(self.path, "cpu.stat")).splitlines():
            if line.startswith("usage_usec "):
                return int(line.split()[1]) * 1000
        raise ValueError("cpu.stat has no usage_usec")

    def enter(self):
        """Moves the calling process into it; its children follow."""
        with open(os.path.join(self.path, "cgroup.procs"), "w", encoding="ascii") as file:
            file.write("0")

    def pids(self):
        return [int(pid) for pid in _read(os.path.join(self.path, "cgroup.procs")).split()]

    def close(self):
        """Ends what is left in it: descendants of what this test started there."""
        for _ in range(100):
            for pid in self.pids():
                _kill(pid, signal.SIGKILL)
            try:
                os.rmdir(self.path)
                return
            except OSError:
                time.sleep(0.1)
        raise Broken(f"{self.path} cannot be removed")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _mounts():
    """Mount points where CPU time is counted: v1's cpuacct first, where both are mounted."""
    found = []
    for line in _read("/proc/self/mounts").splitlines():
        _, point, kind, options = line.split()[:4]
        if kind == "cgroup2" or (kind == "cgroup" and "cpuacct" in options.split(",")):
            found.append((kind, point))
    return sorted(found)


class Child:
    """A process that this test started. It is ended by its pid."""

    def __init__(self, command, log, cgroup=None, stop=signal.SIGTERM, environment=None):
        self.name, self.log, self.stop = os.path.basename(command[0]), log, stop
        with open(log, "ab") as output:
            # A session of its own: ^C reaches this test alone, which then ends its processes in order.
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment,
                                            start_new_session=True, preexec_fn=cgroup.enter if cgroup else None)

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process.poll() is None

    def wait(self, seconds):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise Broken(f"{self.name} did not end within {seconds} s") from error

    def broken(self, what):
        return Broken(f"{self.name} {what}: {_read(self.log).strip()[-200:]}")

    def close(self):
        if self.running():
            self.process.send_signal(self.stop)
            try:
                self.process.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def run(command, log):
    """Runs a command to its end."""
    with Child(command, log) as child:
        if child.wait(TIMEOUT) != 0:
            raise child.broken(f"ended with {child.process.returncode}")


def until(condition, child, what):
    """Waits for a condition while the process is running."""
    for _ in range(TIMEOUT * 10):
        if condition():
            return
        if not child.running():
            raise child.broken(f"ended with {child.process.returncode}")
        time.sleep(0.1)
    raise child.broken(f"{what} within {TIMEOUT} s")


def alone(name, cgroup):
    """Skips when a process of this name is outside of the cgroup. Two looks: an exiting process of the server has left its cgroup already."""
    found = _outside(name, cgroup)
    if found:
        time.sleep(0.2)
        found &= _outside(name, cgroup)
    if found:
        raise Skip(f"another {name} is running, which would be in the figures: pid {min(found)}")


def _outside(name, cgroup):
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if _read(f"/proc/{pid}/comm").strip() == name and os.path.basename(cgroup.path) not in _read(f"/proc/{pid}/cgroup"):
                found.add(int(pid))
        except OSError:
            pass
    return found


def _kill(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def _read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
