"""One crawl of harmful responses and of a good site, the neighbour: what the responses cost the worker, its readers and the neighbour.

The limit: no callback of the worker's event loop takes half a second of CPU time. Wall time is printed too; it is larger on a busy machine.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.inputs.hostile_server import PAGES
from benchmarks.peaks import measure
from spiders.loop_meter import METER_VARIABLE

LIMIT_SECONDS = 0.5
CRAWL = """
seeds: {seeds}
network: {{allow: [127.0.0.0/8]}}
scope: {{max_depth: 1000}}
politeness: {{delay: 0.01, concurrency_per_host: 4}}
budgets: {{max_retries: 0, max_minutes: {minutes}, max_pages_per_host: 700}}
"""


@contextmanager
def _server() -> Iterator[tuple[dict[str, Any], list[float]]]:
    """The server's addresses, and the times of the requests to the neighbour, which are there when the server has ended."""
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.inputs.hostile_server"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    request_times: list[float] = []
    try:
        yield json.loads(process.stdout.readline()), request_times
    finally:
        process.send_signal(signal.SIGTERM)
        request_times += json.loads(process.stdout.readline() or "[]")
        process.wait(10)


def once(path: Path) -> None:
    """Crawl a file and write the outcomes of its URLs to a file next to it. This runs in the process that is measured."""
    from sqlalchemy import select

    from schemas.config.crawl_file import read_crawl
    from schemas.config.settings import load_settings
    from spiders.run import crawl_once
    from storage.database.engine import open_database
    from storage.database.frontier_tables import URLS

    settings = load_settings()
    manifest = crawl_once(read_crawl(path), settings)
    database = open_database(settings.database_url("frontier"))
    with database.read() as connection:
        rows = connection.execute(select(URLS.c.url, URLS.c.last_outcome, URLS.c.last_reason).where(URLS.c.url.like("%/hostile%"))).all()
    database.close()
    outcomes = {row.url: ":".join(filter(None, (row.last_outcome, row.last_reason))) for row in rows}
    path.with_suffix(".json").write_text(json.dumps({"counts": manifest.counts.model_dump(), "outcomes": outcomes}))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=6.0, help="after which the crawl is ended")
    parser.add_argument("--once", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.once:
        once(options.once)
        return 0
    with tempfile.TemporaryDirectory() as home:
        crawl, meter = Path(home) / "hostile.yaml", Path(home) / "meter.json"
        with _server() as (bases, request_times):
            urls = [f"{base}/hostile/{number}" for number in (1, 2) for base in bases["hostile"]]
            crawl.write_text(CRAWL.format(seeds=json.dumps([*urls, bases["neighbour"] + "/n/0"]), minutes=options.minutes))
            environment = {"CRAWLHOUSE_HOME": home, "CRAWLHOUSE_CRAWLS": home, "CRAWLHOUSE_STORE": "", "CRAWLHOUSE_DATABASE": ""}
            measured = measure("benchmarks.hostile", "--once", str(crawl), environment={**environment, METER_VARIABLE: str(meter)})
        longest, became = json.loads(meter.read_text()), json.loads(crawl.with_suffix(".json").read_text())
    for base, name in bases["hostile"].items():
        print(f"{name:28} {' and '.join(sorted(outcome for url, outcome in became['outcomes'].items() if url.startswith(base + '/')))}")
    gaps = [later - earlier for earlier, later in pairwise(request_times)]
    print(f"\n{json.dumps(became['counts'])}; {measured.wall:.0f} s of wall time, {measured.cpu:.0f} of CPU, load {os.getloadavg()[0]:.1f}")
    print(f"neighbour: {len(request_times):,} of {PAGES:,} pages requested, longest pause {max(gaps, default=0):.1f} s")
    print("peaks in MB: " + ", ".join(f"{role} {peak:.0f}" for role, peak in sorted(measured.peaks.items())))
    print(
        f"longest callback: {longest['cpu']:.2f} s of CPU ({longest['wall']:.2f} wall), of {longest['callbacks']:,}: {longest['callback']}"
    )
    print(f"longest in wall time: {longest['longest_wall']:.2f} s; limit: {LIMIT_SECONDS} s of CPU")
    return int(longest["cpu"] >= LIMIT_SECONDS or len(request_times) < PAGES)


if __name__ == "__main__":
    sys.exit(main())
