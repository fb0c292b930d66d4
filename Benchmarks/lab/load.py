"""Drives load: wrk for saturation, `llm-proxy load` for latency and streams."""

import json
import os
import pathlib
import re
import subprocess
import time

from .peers import LOAD_CORE, proxy_binary

BODY = json.dumps({
    "model": "gpt-4o-mini", "messages": [
        {"role": "system", "content": "You are a helpful assistant that answers briefly and to the point."},
        {"role": "user", "content": "Say something about the weather in Lisbon in the month of November, please."}],
    "temperature": 0.7}, separators=(",", ":"))


CHANGING = """
local number, body = %d, wrk.body
request = function()
  number = number + 1
  return wrk.format(nil, nil, nil, (body:gsub("briefly and to the point", string.format("briefly at %%16d", number))))
end
"""


def wrk(url, token, seconds, folder, connections=64, cores=LOAD_CORE, path="/v1/chat/completions",
        cached=False, changing=False, ends=True):
    """Saturates `url` with chat requests as an OpenAI client sends them. Returns what was counted.

    `cached`: they say that their answers may be given again; `changing`: each has a body of its own; `ends`: whether answers end
    within that time, so that there must be some.
    """
    script = pathlib.Path(folder, "request.lua")
    headers = {
        "Content-Type": "application/json", "Authorization": f"Bearer {token}", "User-Agent": "OpenAI/Python 1.40.0",
        "Accept": "application/json", "X-Stainless-Lang": "python", "X-Stainless-Retry-Count": "0"}
    if cached:
        headers["Cache-Control"] = "public, max-age=3600"
    lines = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items())
    text = f"wrk.method = 'POST'\nwrk.body = [==[{BODY}]==]\n{lines}\n"
    if changing:
        # Its number takes the place of white space, so that all bodies are equally long; runs begin at different ones.
        text += CHANGING % (time.time_ns() // 1000 % 10**8 * 100)
    script.write_text(text)
    ran = subprocess.run(
        ["taskset", "-c", cores, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "--latency", "-s", script,
         f"{url}{path}"], capture_output=True, text=True, check=True, timeout=seconds + 60)
    counted = read_wrk(ran.stdout)
    if ends and not counted["requests"]:
        raise SystemExit(f"wrk: {url} answered nothing within {seconds} s")
    return counted


def h2load(url, token, seconds, folder, connections=8, streams=8, cores=LOAD_CORE, path="/v1/chat/completions"):
    """The same over HTTP/2, with so many requests at once on each connection."""
    body = pathlib.Path(folder, "request.json")
    body.write_text(BODY)
    headers = {
        "content-type": "application/json", "authorization": f"Bearer {token}", "user-agent": "OpenAI/Python 1.40.0",
        "accept": "application/json", "x-stainless-lang": "python", "x-stainless-retry-count": "0"}
    words = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    ran = subprocess.run(
        ["taskset", "-c", cores, "h2load", "-t1", f"-c{connections}", f"-m{streams}", f"-D{seconds}", "-d", body, *words,
         f"{url}{path}"], capture_output=True, text=True, check=True, timeout=seconds + 60)
    counted = {name: int(number) for number, name in re.findall(r"(\d+) (done|succeeded|failed|errored|2xx)", ran.stdout)}
    return {
        "requests": counted["succeeded"], "per_second": float(re.search(r"([\d.]+) req/s", ran.stdout)[1]),
        "errors": counted["failed"] + counted["errored"] + counted["succeeded"] - counted["2xx"]}


def read_wrk(text):
    requests = int(re.search(r"(\d+) requests in", text)[1])
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    sockets = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    latency = {f"p{share}": value + unit for share, value, unit in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)", text)}
    return {
        "requests": requests, "per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]),
        "errors": (int(bad[1]) if bad else 0) + (sum(map(int, sockets.groups())) if sockets else 0),
        "latency": latency}


def load(*arguments, token, cores=LOAD_CORE):
    """Runs `llm-proxy load … --json` and returns its report; the environment may name another binary for it."""
    binary = os.environ.get("LLM_PROXY_LOAD_BINARY") or proxy_binary()
    ran = subprocess.run(
        ["taskset", "-c", cores, binary, "load", *map(str, arguments), "--json"], capture_output=True, text=True,
        env={**os.environ, "LLM_PROXY_TOKEN": token}, timeout=600)
    # 1 too: requests failed, or the generator was late and the run tells nothing.
    if ran.returncode != 0:
        raise SystemExit(f"llm-proxy load {' '.join(map(str, arguments))}\nexit {ran.returncode}\n{ran.stderr}")
    return json.loads(ran.stdout)


def merged(sides):
    """The latencies of several sides as one: (milliseconds, how many), the shortest first."""
    return sorted(tuple(pair) for side in sides for pair in side["corrected_distribution"])


def percentile(distribution, share):
    """The latency that `share` percent of all don't exceed."""
    left = sum(count for _, count in distribution) * share / 100
    for latency, count in distribution:
        left -= count
        if left <= 0:
            return latency
    return distribution[-1][0]
