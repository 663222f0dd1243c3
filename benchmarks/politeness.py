"""Politeness on real pages that a proxy replays. The proxy's log shows gaps and overlaps per host, and waits after 503. Then a second run.

Needs the replaying proxy (`CRAWLHOUSE_REALWEB_DIR`, by default `../shared/realweb`) and its pages (`CRAWLHOUSE_BENCH_DIR`, by default
`../shared/bench`). For each way in which the sites behave: are all pages captured, are the sites left alone as long as they must be,
and what does a second run store?
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

from schemas.config.crawl import Crawl
from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.manifest import Manifest
from spiders.run import crawl_once
from spiders.urls.canonical import canonicalize
from storage.index.rows import CaptureRow, read_index
from storage.objects.open import open_store

SHARED = Path(__file__).parents[2] / "shared"
REALWEB = Path(os.environ.get("CRAWLHOUSE_REALWEB_DIR", SHARED / "realweb"))
BENCH = Path(os.environ.get("CRAWLHOUSE_BENCH_DIR", SHARED / "bench"))
SETS = ("fundeval", "aeb")
ALL_SETS = (*SETS, "wcxb_dev")
CLOCK_SECONDS = 0.005  # how finely two processes on one machine agree on when a request arrived
RETRY_AFTER_SECONDS = 1.0  # what the proxy asks for with its 503


@dataclass(frozen=True)
class Case:
    """How the sites behave, and the crawl's own delay. `delay` is the gap that is required between two requests to a host. In seconds."""

    name: str
    options: tuple[str, ...]
    own_delay: float
    delay: float
    opt_outs: str = "obey"
    sets: tuple[str, ...] = SETS


CASES = (
    Case("crawl-delay 1", ("--crawl-delay", "1"), 0.0, 1.0),
    Case("fail-rate 0.1", ("--fail-rate", "0.1", "--seed", "7"), 0.2, 0.2),
    Case("latency 50 ms", ("--latency", "50"), 0.1, 0.1),
    Case("opt-outs recorded", (), 0.1, 0.1, "record"),
    Case("all sets, fail-rate 0.1, latency 50 ms", ("--fail-rate", "0.1", "--seed", "7", "--latency", "50"), 0.1, 0.1, sets=ALL_SETS),
)


@dataclass(frozen=True)
class LoggedRequest:
    """One request of the proxy's log. Times in seconds since the epoch."""

    host: str
    path: str
    status: int
    begin: float
    end: float


@dataclass(frozen=True)
class LogCheck:
    """What the log of a run shows. `gaps` are in seconds, from the end of a response to the next request to its host."""

    requests: int
    gaps: tuple[float, ...]
    overlaps: int
    too_soon: int
    after_busy: tuple[float, ...]
    too_soon_after_busy: int


def check_log(asked: Sequence[LoggedRequest], delay: float) -> LogCheck:
    """Check a log. A delay in robots.txt is known when that is fetched, so every gap counts."""
    hosts: dict[str, list[LoggedRequest]] = defaultdict(list)
    for one in sorted(asked, key=lambda one: one.begin):
        hosts[one.host].append(one)
    pairs = [pair for requests in hosts.values() for pair in pairwise(requests)]
    gaps = [later.begin - earlier.end for earlier, later in pairs]
    busy = [later.begin - earlier.end for earlier, later in pairs if earlier.status == 503]
    return LogCheck(
        len(asked),
        tuple(sorted(gaps)),
        sum(gap < -CLOCK_SECONDS for gap in gaps),
        sum(gap < delay - CLOCK_SECONDS for gap in gaps),
        tuple(sorted(busy)),
        sum(gap < RETRY_AFTER_SECONDS - CLOCK_SECONDS for gap in busy),
    )


@contextmanager
def replaying(folder: Path, case: Case) -> Iterator[tuple[str, Path]]:
    """The proxy on a free port: its URL and its log."""
    log = folder / "requests.jsonl"
    command = [sys.executable, str(REALWEB / "replay.py"), "--port", "0", "--bench", str(BENCH), "--log", str(log), "--for", "1800"]
    process = subprocess.Popen([*command, "--sets", *case.sets, *case.options], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        address = re.search(r"127\.0\.0\.1:\d+", process.stdout.readline())
        assert address is not None, "the proxy did not say where it listens"
        yield f"http://{address[0]}", log
    finally:
        process.terminate()
        process.wait(timeout=10)


def read_log(log: Path, begin: int) -> list[LoggedRequest]:
    """The requests in the log from line `begin` on."""
    rows = (json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()[begin:])
    return [LoggedRequest(row["host"], row["path"], row["status"], row["time"], row["time"] + row["seconds"]) for row in rows]


def seeds(case: Case) -> list[str]:
    """The front page of every host."""
    command = [sys.executable, str(REALWEB / "replay.py"), "--print-seeds", "--bench", str(BENCH), "--sets", *case.sets]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def pages(case: Case) -> set[str]:
    """The URLs of all pages, as `_without_scheme` spells them."""
    lines = (line for name in case.sets for line in (BENCH / f"{name}.jsonl").read_bytes().splitlines())
    return {_without_scheme(json.loads(line)["url"]) for line in lines}


def _without_scheme(url: str) -> str:
    """A URL without its scheme and escapes, canonical."""
    return unquote((canonicalize(url) or url).partition("://")[2])


def crawl_of(proxy: str, case: Case) -> Crawl:
    """The crawl: every host with what its front page and its sitemap name, everything due again at the next run."""
    return parse_crawl(
        f"""
seeds: {json.dumps(seeds(case))}
network: {{allow: [127.0.0.1/32], proxy: '{proxy}'}}
politeness: {{delay: {case.own_delay}, timeout: 60, opt_outs: {case.opt_outs}}}
scope: {{max_depth: 1}}
budgets: {{max_retries: 5}}
revisit: {{feeds_max: 0, sitemaps_max: 0, hubs_max: 0, articles_min: 0, articles_max: 0}}
""",
        "realweb",
    )


def stored(manifest: Manifest, settings: Settings) -> list[CaptureRow]:
    """The rows of a run's capture index."""
    store = open_store(settings)
    return [row for segment in manifest.segments for row in read_index(store.get_bytes(segment.index_key))]


def run_case(case: Case) -> bool:
    """Run one case twice and print the results. Returns whether nothing was wrong."""
    with tempfile.TemporaryDirectory(prefix="politeness-") as name, replaying(Path(name), case) as (proxy, log):
        settings = Settings(home=Path(name) / "home", crawls=Path(name))
        crawl = crawl_of(proxy, case)
        first = crawl_once(crawl, settings)
        seen = read_log(log, 0)
        second = crawl_once(crawl, settings)
        again = read_log(log, len(seen))
        rows, fresh = stored(first, settings), stored(second, settings)
    wanted = pages(case)
    captured = wanted & {_without_scheme(row.url) for row in rows if row.fetch_status == 200}
    new = [row for row in fresh if row.record_type == "response" and row.kind != "robots" and row.fetch_status == 200]
    print(f"\n{case.name}: {len(captured)} of {len(wanted)} pages captured; {first.counts} {first.reasons}")
    opted_out = first.reasons.get("denied:opted_out", 0)
    print(f"  not captured: {len(wanted - captured)} pages, {opted_out} of which ask in their meta elements not to be kept")
    fine = len(wanted - captured) == opted_out
    fine = _report("first run", check_log(seen, case.delay), case) and _report("second run", check_log(again, case.delay), case) and fine
    kinds = Counter(row.record_type for row in fresh)
    print(f"  second run: {second.counts.fetched} fetched, {kinds['revisit']} revisits, {len(new)} responses 200 stored again: ", end="")
    print(f"{sum(row.warc_record_length for row in new):,} bytes, after {sum(row.warc_record_length for row in rows):,}")
    return fine


def _report(run: str, checked: LogCheck, case: Case) -> bool:
    gaps = checked.gaps
    middle = gaps[len(gaps) // 2] if gaps else 0.0
    print(
        f"  {run}: {checked.requests} requests, smallest gap {gaps[0] if gaps else 0:.3f} s, median {middle:.3f} s "
        f"(asked for {case.delay} s): {checked.too_soon} too soon, {checked.overlaps} overlaps; "
        f"{len(checked.after_busy)} after 503, {checked.too_soon_after_busy} of them before Retry-After"
    )
    return not (checked.too_soon or checked.overlaps or checked.too_soon_after_busy)


def main() -> int:
    """Run all cases, or the named ones."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks politeness", description=__doc__)
    parser.add_argument("--case", choices=[case.name for case in CASES], action="append")
    given = parser.parse_args()
    results = [run_case(case) for case in CASES if not given.case or case.name in given.case]
    return 0 if all(results) else 1
