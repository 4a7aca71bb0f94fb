"""The servers and their loads. A server runs as an unprivileged user in a cgroup of its own, its load outside of it."""
import glob
import os
import pwd
import shutil
import signal
import subprocess

from machine import Child, Skip, run, until

USER = "nobody"
CLIENTS = 4


class Server:
    """Data directory and socket are in the directory; nothing of the distribution's own service is touched."""

    def __init__(self, directory):
        self.directory = directory
        self.data = os.path.join(directory, "data")
        self.log = os.path.join(directory, "server.log")
        self.load_log = os.path.join(directory, "load.log")
        self.user = pwd.getpwnam(USER)
        os.mkdir(self.data, 0o700)
        for path in (directory, self.data):
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def as_user(self, *command):
        return ["setpriv", f"--reuid={self.user.pw_uid}", f"--regid={self.user.pw_gid}", "--clear-groups", "--no-new-privs", *command]


class PostgreSQL(Server):
    """A process per connection, and with pgbench -C a connection per transaction."""

    COMM = "postgres"
    GROUP = True
    # Percent under the names of threads, with exit records.
    NAMED = 95
    LOAD_ENDS = True

    def __init__(self, directory):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/pgbench"), key=lambda path: int("0" + path.split("/")[4].split(".")[0]))
        bin_directory = os.path.dirname(found[-1] if found else shutil.which("pgbench") or "/")
        self.tools = {name: os.path.join(bin_directory, name) for name in ("postgres", "initdb", "pgbench", "psql")}
        missing = [name for name, path in self.tools.items() if not os.access(path, os.X_OK)]
        if missing:
            raise Skip(f"not installed: {', '.join(missing)} of PostgreSQL")
        super().__init__(directory)
        # Both ends of the socket are named, whatever the environment says.
        self.client = ["-h", directory, "-p", "5432", "-U", "postgres"]

    def start(self, cgroup):
        run(self.as_user(self.tools["initdb"], "-D", self.data, "-U", "postgres", "-A", "trust", "--no-sync", "--locale=C"), self.log)
        # SIGINT is the fast shutdown: it does not wait for clients.
        return Child(self.as_user(self.tools["postgres"], "-D", self.data, "-k", self.directory, "-c", "listen_addresses=", "-c", "port=5432"),
                     self.log, cgroup, signal.SIGINT)

    def prepare(self, child):
        query = [self.tools["psql"], *self.client, "-qc", "SELECT 1", "postgres"]
        until(lambda: subprocess.run(query, check=False, capture_output=True).returncode == 0, child, "accepted no connection")
        run([self.tools["pgbench"], "-i", "-q", *self.client, "postgres"], self.load_log)

    def load(self, seconds):
        return Child([self.tools["pgbench"], "-n", "-C", "-S", "-c", str(CLIENTS), "-T", str(seconds), *self.client, "postgres"], self.load_log)


class MariaDB(Server):
    """A thread per connection, without a cache of threads, and a connection per statement."""

    COMM = "mariadbd"
    GROUP = False
    NAMED = 98
    LOAD_ENDS = False

    def __init__(self, directory):
        path = os.environ.get("PATH", "") + ":/usr/sbin"
        self.tools = {name: shutil.which(name, path=path) for name in ("mariadbd", "mariadb-install-db", "mariadb-slap")}
        missing = [name for name, found in self.tools.items() if not found]
        if missing:
            raise Skip(f"not installed: {', '.join(missing)}")
        super().__init__(directory)
        self.socket = os.path.join(directory, "socket")

    def start(self, cgroup):
        run(self.as_user(self.tools["mariadb-install-db"], "--no-defaults", f"--datadir={self.data}", "--skip-test-db",
                         "--auth-root-authentication-method=normal"), self.log)
        return Child(self.as_user(self.tools["mariadbd"], "--no-defaults", f"--datadir={self.data}", f"--socket={self.socket}",
                                  f"--pid-file={self.directory}/pid", "--skip-networking", "--thread-cache-size=0",
                                  "--thread-handling=one-thread-per-connection", "--back-log=1000"), self.log, cgroup)

    def prepare(self, child):
        until(lambda: subprocess.run(self.slap(1), check=False, capture_output=True).returncode == 0, child, "accepted no connection")

    def load(self, seconds):
        # It has no limit of time: more statements than any server answers in that time, and it is ended by its pid.
        return Child(self.slap(seconds * 200_000), self.load_log)

    def slap(self, count):
        return [self.tools["mariadb-slap"], "--no-defaults", f"--socket={self.socket}", "--user=root", f"--concurrency={CLIENTS}", "--detach=1",
                f"--number-of-queries={count}", "--query=SELECT 1",
                "--create-schema=mysql", "--no-drop"]
