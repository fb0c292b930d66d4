"""What is measured: this proxy in its variants, nginx as a proxy, and the upstreams behind both."""

import json
import os
import pathlib
import ssl
import subprocess
import time
import urllib.request

from .processes import Process, free_port, wait_for_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROXY_CORE = "0"
LOAD_CORE = "1"

# Every limit that a token can have, so large that none is reached.
FOUR_LIMITS = {
    "max_requests": 10**12,
    "limits": {"requests_per_minute": 10**9, "tokens_per_minute": 10**9, "budget_usd": 10**6, "budget_period": "day"}}

ANSWER = json.dumps({
    "id": "chatcmpl-123", "object": "chat.completion", "created": 1700000000, "model": "gpt-4o-mini",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": (
        "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et dolore "
        "magna aliqua. Ut enim ad minim veniam, quis nostrud exercitation ullamco laboris nisi ut aliquip ex ea "
        "commodo consequat. Duis aute irure dolor in reprehenderit.")}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 34, "total_tokens": 46}}, separators=(",", ":"))


class Nginx:
    """One nginx with one worker, its configuration written into `folder`."""

    def __init__(self, name, folder, server, cores, http="", listen=""):
        self.name = name
        self.port = free_port()
        self.folder = pathlib.Path(folder, name)
        self.folder.mkdir(parents=True)
        configuration = self.folder / "nginx.conf"
        configuration.write_text(f"""
            worker_processes 1; daemon off; pid {self.folder}/pid; error_log {self.folder}/errors warn;
            worker_rlimit_nofile 20000;
            events {{ worker_connections 8192; }}
            http {{
                access_log off; keepalive_requests 100000000; keepalive_timeout 300s;
                client_body_temp_path {self.folder}/body; proxy_temp_path {self.folder}/proxy;
                fastcgi_temp_path {self.folder}/f; uwsgi_temp_path {self.folder}/u; scgi_temp_path {self.folder}/s;
                {http}
                server {{ listen 127.0.0.1:{self.port}{listen} backlog=4096; {server} }}
            }}""")
        self.process = Process(["nginx", "-p", str(self.folder), "-c", str(configuration)], cores)
        wait_for_port(self.port)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.process.stop()


def nginx_upstream(folder, certificate=None):
    """Answers every request at once with one small chat completion; with a certificate over TLS, as HTTP/2 or HTTP/1.1."""
    return Nginx("upstream", folder, cores=LOAD_CORE, listen=" ssl http2" if certificate else "", server=f"""
        {f"ssl_certificate {certificate[0]}; ssl_certificate_key {certificate[1]};" if certificate else ""}
        location / {{
            default_type application/json; add_header x-request-id req_123; add_header openai-version 2020-10-01;
            add_header openai-processing-ms 12; return 200 '{ANSWER}';
        }}""")


def certificate(folder):
    """A certificate of its own for 127.0.0.1: paths of the certificate and of its key."""
    paths = [str(pathlib.Path(folder, name)) for name in ("certificate.pem", "key.pem")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-out", paths[0], "-keyout", paths[1]], check=True, capture_output=True)
    return paths


def nginx_proxy(name, folder, upstream_port, buffering, log=False, certificate=None):
    """The same job as ours, without tokens, accounts and records: replaces the credential and keeps connections."""
    return Nginx(
        name, folder, cores=PROXY_CORE,
        http=f"""
            upstream behind {{
                server 127.0.0.1:{upstream_port}; keepalive 2048; keepalive_requests 100000000; keepalive_timeout 300s;
            }}""",
        listen=" ssl http2" if certificate else "", server=f"""
            {f"ssl_certificate {certificate[0]}; ssl_certificate_key {certificate[1]};" if certificate else ""}
            {f"access_log {folder}/{name}.access;" if log else ""}
            location / {{
                proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection "";
                proxy_set_header Authorization "Bearer sk-upstream-key-0123456789abcdef0123456789abcdef";
                proxy_buffering {"on" if buffering else "off"}; proxy_read_timeout 300s;
            }}""")


class CUpstream:
    """The upstream of upstream.c: answers at once, after a delay, or as a stream of events."""

    def __init__(self, folder, cores=LOAD_CORE, wait_us=0):
        source = pathlib.Path(__file__).with_name("upstream.c")
        binary = pathlib.Path(folder, "upstream-c")
        if not binary.exists():
            subprocess.run(["cc", "-O2", "-Wall", "-o", binary, source], check=True)
        self.port = free_port()
        self.process = Process([str(binary), str(self.port), str(wait_us)], cores)
        wait_for_port(self.port)

    def events(self):
        """How many events it has sent so far."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/events") as answer:
            return int(answer.read())

    def stop(self):
        self.process.stop()


def proxy_binary():
    """The release binary to measure; the environment may name another one."""
    named = os.environ.get("LLM_PROXY_BINARY")
    candidates = [named] if named else [
        ROOT / ".build-release/release/llm-proxy-stripped", ROOT / ".build-release/release/llm-proxy"]
    for candidate in candidates:
        if pathlib.Path(candidate).exists():
            return str(candidate)
    raise SystemExit("Benchmarks: no release binary; build one with ci/build-release, or name it in LLM_PROXY_BINARY")


class LLMProxy:
    """One server of ours with a project and a token."""

    MANAGEMENT_TOKEN = "benchmark-management-token"

    def __init__(
            self, name, folder, upstream_port, database="file", log=False, cores=PROXY_CORE, loops=1, binary=None,
            port=None, settings=(), certificate=None, upstream_certificate=None):
        self.name = name
        if upstream_certificate:
            settings = [*settings, f"UPSTREAM_CA_FILE={upstream_certificate[0]}"]
        upstream = f"{'https' if upstream_certificate else 'http'}://127.0.0.1:{upstream_port}"
        # Its own certificate is nobody's business: what is measured is here.
        self.trust = ssl._create_unverified_context() if certificate else None
        if certificate:
            settings = [*settings, f"TLS_CERT_FILE={certificate[0]}", f"TLS_KEY_FILE={certificate[1]}"]
        self.binary = binary or proxy_binary()
        self.port = port or free_port()
        self.folder = pathlib.Path(folder, name)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.database = ":memory:" if database == "memory" else str(self.folder / "llm-proxy.db")
        self.log = self.folder / "server.log"
        arguments = [
            self.binary, "server", "--listen", f"127.0.0.1:{self.port}", "--database-path", self.database,
            "--upstream", upstream, "--set", f"EVENT_LOOPS={loops}",
            "--set", f"LOG_LEVEL={'info' if log else 'warn'}"]
        for setting in settings:
            arguments += ["--set", setting]
        self.process = Process(
            arguments, cores, log=self.log, folder=self.folder,
            environment={"MANAGEMENT_TOKEN": self.MANAGEMENT_TOKEN})
        wait_for_port(self.port)

    @property
    def url(self):
        return f"{'https' if self.trust else 'http'}://127.0.0.1:{self.port}"

    def manage(self, path, body):
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.MANAGEMENT_TOKEN}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, context=self.trust) as answer:
            return json.load(answer)

    def make_token(self, max_requests=0, **more):
        """A token of a project of its own; with a cap when one is given, and what else it is asked with."""
        project = self.manage("/manage/projects", {
            "name": f"bench-{time.monotonic_ns()}", "api_key": "sk-upstream-key-0123456789abcdef0123456789abcdef"})
        asked = {"project_id": project["id"], "duration_minutes": 1440, **more}
        if max_requests:
            asked["max_requests"] = max_requests
        return self.manage("/manage/tokens", asked)["token"]

    def metrics(self):
        """Name with labels → value."""
        with urllib.request.urlopen(self.url + "/metrics/prometheus") as answer:
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, _, value in
                (line.rpartition(" ") for line in lines if line and not line.startswith("#"))}

    def verify(self):
        """The invariants of the database as `llm-proxy db verify --json` finds them."""
        found = subprocess.run(
            [self.binary, "db", "verify", "--json", "--database-path", self.database], capture_output=True, text=True,
            cwd=self.folder)
        return found.returncode, json.loads(found.stdout) if found.stdout.startswith("{") else found.stderr

    def stop(self):
        return self.process.stop()
