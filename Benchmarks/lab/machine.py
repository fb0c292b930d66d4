"""Says where and when a figure was measured, and takes the command line that all benchmarks share."""

import argparse
import datetime
import json
import os
import pathlib
import platform
import subprocess

from .peers import ROOT, proxy_binary


def describe():
    def output(*command):
        try:
            return subprocess.run(command, capture_output=True, text=True).stdout.strip()
        except OSError:
            return ""

    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    nginx = subprocess.run(["nginx", "-v"], capture_output=True, text=True).stderr.strip().rpartition("/")[2]
    binary = proxy_binary()
    return {
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} × {model}, {memory:.0f} GiB, kernel {platform.release()}",
        "disk": output("findmnt", "-no", "FSTYPE,SOURCE", "-T", "/tmp"),
        "nginx": nginx, "revision": output("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"),
        "binary": output(binary, "--version"),
        "load_before": os.getloadavg()[0],
    }


def arguments(description, rounds, seconds, short_rounds, short_seconds, connections=None):
    """Reads --short, --rounds, --seconds, --json PATH; and --connections where a benchmark has a usual number of them."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--short", action="store_true", help="a quick look: fewer and shorter rounds")
    parser.add_argument("--rounds", type=int, help="interleaved rounds")
    parser.add_argument("--seconds", type=int, help="seconds of each measurement")
    parser.add_argument("--json", metavar="PATH", help="where the figures go")
    if connections:
        parser.add_argument(
            "--connections", type=int, default=connections, help="clients at once (%(default)s)")
    given = parser.parse_args()
    given.rounds = given.rounds or (short_rounds if given.short else rounds)
    given.seconds = given.seconds or (short_seconds if given.short else seconds)
    return given


def keep(given, name, command, figures):
    """Writes the figures as JSON where `--json` says, for RESULTS.md."""
    if not given.json:
        return
    document = {"benchmark": name, "command": command, **describe_run(given), "figures": figures}
    pathlib.Path(given.json).write_text(json.dumps(document, indent=1) + "\n")


def describe_run(given):
    return {"rounds": given.rounds, "seconds": given.seconds, "short": given.short, "where": describe()}
