"""Starts pinned processes and reads what they cost."""

import atexit
import os
import signal
import socket
import subprocess
import sys
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")

# However a benchmark ends, what it started ends with it: also when a later peer can't start, or on SIGTERM.
STARTED = []


@atexit.register
def stop_all():
    for process in STARTED:
        process.stop(patience=5)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


class Process:
    """A child on given cores; what it writes goes to a file."""

    def __init__(self, arguments, cores=None, log="/dev/null", environment=None, folder=None):
        if cores is not None:
            arguments = ["taskset", "-c", cores, *arguments]
        self.started = time.monotonic()
        with open(log, "ab") as output:
            self.child = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder,
                env={**os.environ, **(environment or {})})
        self.pid = self.child.pid
        STARTED.append(self)

    def cpu(self):
        """(user, system) seconds of the process, all its threads, and its children that live."""
        return cpu_of_tree(self.pid)

    def resident_bytes(self):
        """Resident memory of the process and its living children."""
        return sum(resident_of(pid) for pid in tree(self.pid))

    def stop(self, patience=35):
        """SIGTERM, and the exit code."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        try:
            return self.child.wait(patience)
        except subprocess.TimeoutExpired:
            self.child.kill()
            return self.child.wait()


def tree(pid):
    pids = [pid]
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as children:
                for child in children.read().split():
                    pids += tree(int(child))
    except FileNotFoundError:
        pass  # It has ended meanwhile.
    return pids


def cpu_of_tree(pid):
    user = system = 0
    for one in tree(pid):
        try:
            with open(f"/proc/{one}/stat") as stat:
                # The command's name may hold spaces; the fields after its closing parenthesis don't.
                fields = stat.read().rpartition(")")[2].split()
        except FileNotFoundError:
            continue  # A short-lived child, such as a worker of PostgreSQL's, has ended meanwhile.
        user += int(fields[11])
        system += int(fields[12])
    return user / TICKS_PER_SECOND, system / TICKS_PER_SECOND


def resident_of(pid):
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * PAGE_SIZE


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, patience=20):
    """Returns once something accepts on the port."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.005)
    raise TimeoutError(f"nothing listens on port {port}")
