"""What checks with whole clients share: the program and others as child processes, and how checks are run.

LLM_PROXY names the program; without it, it is built.
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
MANAGEMENT_TOKEN = "management-token-of-a-client-check"


def wait_for(what, seconds=10):
    """What `what` gives, once it gives something."""
    deadline = time.monotonic() + seconds
    while True:
        found = what()
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def program(*packages):
    """Installs what is missing, and builds if there is no program: its path."""
    subprocess.run([ROOT / "ci/install", *packages], check=True)
    if os.environ.get("LLM_PROXY"):
        return os.path.abspath(os.environ["LLM_PROXY"])
    build = ["swift", "build", "--product", "llm-proxy", "--explicit-target-dependency-import-check", "error"]
    subprocess.run(build, cwd=ROOT, check=True, stdout=sys.stderr)
    shown = subprocess.run(["swift", "build", "--show-bin-path"], cwd=ROOT, check=True, capture_output=True, text=True)
    return f"{shown.stdout.strip()}/llm-proxy"


def certificate(folder):
    """A certificate of 127.0.0.1 that nobody signed, and its key."""
    files = [str(pathlib.Path(folder, name)) for name in ("certificate.pem", "key.pem")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-out", files[0], "-keyout", files[1]],
        check=True, capture_output=True)
    return files


def call(url, secret, body=None, trust=None):
    """The JSON that a GET answers, or a POST where there is something to send."""
    request = urllib.request.Request(
        url, json.dumps(body).encode() if body is not None else None,
        {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10, context=trust) as answer:
        return json.load(answer)


class Child:
    """A process that begins and ends with the block it is for, with all that it has started itself."""

    def __init__(self, folder, name, port, command, environment=()):
        self.folder, self.name, self.port, self.command, self.environment = folder, name, port, command, dict(environment)
        self.log = pathlib.Path(folder, f"{name}.log")

    def __enter__(self):
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.environment},
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            if not wait_for(self.listens, 30):
                raise RuntimeError(f"{self.name} did not start:\n{self.log.read_text()}")
            self.began()
        except BaseException:
            self.kill()
            raise
        return self

    def kill(self):
        """Whatever is left of its group; nothing, as a rule."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def listens(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{self.log.read_text()}")
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True

    def began(self):
        """What is to be done once it listens."""

    def __exit__(self, *_):
        self.process.terminate()
        try:
            code = self.process.wait(15)
        finally:
            self.kill()
        if code not in (0, -signal.SIGTERM):
            sys.exit(f"{self.name} ended with {code}:\n{self.log.read_text()[-2000:]}")


class Simulator(Child):
    """The upstream."""

    def __init__(self, program, folder):
        port = free_port()
        super().__init__(folder, "simulator", port, [program, "simulate", "--port", str(port)])

    def truth(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/sim/truth", timeout=10) as answer:
            return json.load(answer)


class Proxy(Child):
    """A proxy with a database of its own, a project and a token; with TLS if it has a certificate."""

    def __init__(self, program, folder, name, settings, certificate=None):
        port = free_port()
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
        self.trust = ssl.create_default_context(cafile=certificate[0]) if certificate else None
        tls = dict(zip(("TLS_CERT_FILE", "TLS_KEY_FILE"), certificate or ()))
        super().__init__(
            folder, name, port, [program, "server", "--listen", f"127.0.0.1:{port}"],
            {"MANAGEMENT_TOKEN": MANAGEMENT_TOKEN, "DATABASE_PATH": f"{name}.db", **tls, **settings})

    def began(self):
        self.project = self.manage("/manage/projects", {"name": self.name, "api_key": "sk-upstream-key"})["id"]
        made = self.manage("/manage/tokens", {"project_id": self.project, "duration_minutes": 60})
        self.token, self.token_id = made["token"], made["id"]

    def manage(self, path, body=None):
        return call(self.url + path, MANAGEMENT_TOKEN, body, self.trust)

    def counted(self):
        """Requests of its token."""
        return self.manage(f"/manage/tokens/{self.token_id}")["request_count"]

    def settled(self, identifier):
        """The row of a request, once it has ended."""
        return wait_for(lambda: (row := self.manage(f"/manage/requests/{identifier}"))["outcome"] and row) or {"outcome": None}

    def logged(self, **wanted):
        """Lines of its log that say this, once there are some."""
        def found():
            lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{") and line.endswith("}")]
            return [line for line in lines if wanted.items() <= line.items()]

        return wait_for(found, 5)


def run(group, checks):
    """Makes checks one after the other, and prints what came of each: how many passed, and how many failed."""
    failed = 0
    for check in checks:
        what = f"{group}: {check.__name__.replace('_', ' ')}"
        try:
            check()
            print(f"ok {what}", flush=True)
        except Exception as error:  # Whatever goes wrong is a failure of this check, and the others go on.
            failed += 1
            print(f"FAILED {what}: {type(error).__name__}: {error}", flush=True)
    return len(checks) - failed, failed


def finish(counts):
    """Prints the final count, and ends with what it says."""
    passed, failed = (sum(each) for each in zip(*counts))
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


def bound(seconds):
    """Ends, with all that was started, when this is asked to or takes too long."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(f"not done after {seconds} s"))
    signal.alarm(seconds)
