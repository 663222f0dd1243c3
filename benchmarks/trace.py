"""The way of one page through `crawl` and `process`: which files and functions run, and which files call each other.

One page on a local server is crawled and processed by the usual commands, and all their processes are profiled. For each top folder, the
files and functions that ran and the calls from file to file are printed, then the pairs of files that call each other.
`python -m benchmarks trace --way spiders` also lists the calls from file to file in the order of their first occurrence.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("schemas", "runtime", "storage", "spiders", "processing", "crawlhouse")
STORY = "<p>The ferry between the two towns runs again from Monday on, twelve times a day, said the harbour master of Nordby.</p>"
PAGE = f"<html lang=en><head><title>The ferry runs again</title></head><body><article><h1>The ferry runs again</h1>{STORY * 8}</article>"
# It runs at the start of every Python process of the crawl. It writes a line for the first call of each function from each file, at once,
# because some processes are killed.
HOOK = """
import os, sys, threading
_root, _out = os.environ["TRACE_ROOT"] + os.sep, open(os.path.join(os.environ["TRACE_FOLDER"], str(os.getpid())), "a", 1)
_seen = set()
def _profile(frame, event, _):
    if event != "call":
        return
    code = frame.f_code
    if not code.co_filename.startswith(_root) or code.co_name == "<module>":
        return
    caller = frame.f_back
    while caller is not None and (not caller.f_code.co_filename.startswith(_root) or caller.f_code.co_name == "<module>"):
        caller = caller.f_back
    source = caller.f_code.co_filename[len(_root):] if caller is not None else "-"
    name = code.co_qualname if hasattr(code, "co_qualname") else f"{code.co_firstlineno}:{code.co_name}"
    call = (source, code.co_filename[len(_root):], name)
    if call not in _seen:
        _seen.add(call)
        print(*call, sep="\\t", file=_out)
sys.setprofile(_profile)
threading.setprofile(_profile)
os.register_at_fork(after_in_child=lambda: sys.setprofile(_profile))
"""


@dataclass(slots=True)
class Trace:
    """What ran: functions by file, and the calls from file to file in the order of their first occurrence."""

    functions: dict[str, set[str]] = field(default_factory=dict)
    calls: dict[tuple[str, str], None] = field(default_factory=dict)

    def add(self, caller: str, called: str, function: str) -> None:
        """One call of a function from a file."""
        self.functions.setdefault(called, set()).add(function)
        if caller not in {"-", called}:
            self.calls[caller, called] = None

    def room(self, name: str) -> tuple[int, int, int]:
        """Files, functions and calls between files of one top folder."""
        files = [file for file in self.functions if file.startswith(f"{name}/")]
        return len(files), sum(len(self.functions[file]) for file in files), len(self.inside(name))

    def inside(self, name: str) -> list[tuple[str, str]]:
        """The calls between files of one top folder."""
        return [(caller, called) for caller, called in self.calls if caller.startswith(f"{name}/") and called.startswith(f"{name}/")]

    def turns(self) -> list[tuple[str, str]]:
        """The pairs of files that call each other."""
        return sorted(pair for pair in self.calls if pair[0] < pair[1] and (pair[1], pair[0]) in self.calls)


class _Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = PAGE.encode() if self.path == "/" else b"User-agent: *\nAllow: /\n"
        self.send_response(200 if self.path in {"/", "/robots.txt"} else 404)
        self.send_header("Content-Type", "text/html" if self.path == "/" else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 the standard library's name
        """Keep quiet."""


def traced(folder: Path) -> Trace:
    """Crawl and process the page. Raises CalledProcessError if one of the commands fails."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    crawls, hook, out = folder / "crawls", folder / "hook", folder / "trace"
    for made in (crawls, hook, out):
        made.mkdir()
    (hook / "sitecustomize.py").write_text(HOOK)
    yaml = f"seeds: ['http://127.0.0.1:{server.server_port}/']\nnetwork: {{allow: [127.0.0.1/32]}}\npoliteness: {{delay: 0}}\n"
    (crawls / "one.yaml").write_text(yaml)
    ours = {"CRAWLHOUSE_HOME": str(folder / "home"), "CRAWLHOUSE_CRAWLS": str(crawls), "CRAWLHOUSE_STORE": "", "CRAWLHOUSE_DATABASE": ""}
    hooked = {"PYTHONPATH": str(hook), "TRACE_ROOT": str(ROOT), "TRACE_FOLDER": str(out)}
    run = partial(subprocess.run, check=True, env={**os.environ, **ours, **hooked}, stdout=subprocess.DEVNULL)
    code = "import sys; from crawlhouse.command import main; sys.exit(main())"
    for command in ("crawl", "process"):
        run([sys.executable, "-c", code, command, "one"])
    server.shutdown()
    trace = Trace()
    for caller, called, function in _lines(out):
        if called.split("/")[0] in ROOMS:
            trace.add(caller, called, function)
    return trace


def _lines(folder: Path) -> Iterator[tuple[str, str, str]]:
    for path in sorted(folder.iterdir(), key=lambda one: one.stat().st_ctime_ns):
        for line in path.read_text().splitlines():
            caller, called, function = line.split("\t")
            yield caller, called, function


def main() -> int:
    """Print the trace."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks trace", description=__doc__)
    parser.add_argument("--way", metavar="ROOM", choices=ROOMS, help="list this room's calls from file to file")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trace = traced(Path(folder))
    print(f"{'room':12} {'files':>6} {'functions':>10} {'calls between its files':>24}")
    for name in ROOMS:
        print(f"{name:12} {'{:6} {:10} {:24}'.format(*trace.room(name))}")
    print(f"{'all':12} {len(trace.functions):6} {sum(map(len, trace.functions.values())):10} {len(trace.calls):24}")
    print(f"\n{len(trace.turns())} pairs of files call each other:")
    for first, second in trace.turns():
        print(f"  {first} <-> {second}")
    for caller, called in trace.inside(given.way) if given.way else ():
        print(f"  {caller} -> {called}")
    return 0
