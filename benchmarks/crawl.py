"""CPU of crawlhouse, with archive, index, frontier, robots.txt and statistics, compared with peers that have none of these.

The main cell: following links, one worker, pages of 45 kB with 50 links, gzip, no declared charset, nginx on loopback. CPU is user plus
system time of all processes of the crawl (SQLite runs inside them), without the server's. The two sides run in turn, and medians are
compared.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.inputs.static_site import PAGES, make_site, serve, write_sitemap

CONCURRENCY = 16  # requests at a time, Scrapy's default, the same for all peers
PAIRS = 5
CRAWL = """
seeds: [{seed}]
scope: {{max_depth: 1000, follow_links: {follow}}}
politeness: {{delay: 0, concurrency_per_host: {concurrency}}}
network: {{allow: [127.0.0.1/32]}}
budgets: {{max_pages: 1000000, max_pages_per_host: 1000000}}
workers: {workers}
"""


@dataclass(frozen=True)
class Cost:
    """Pages fetched, CPU seconds of all processes, the largest process in MB, wall seconds."""

    pages: int
    cpu: float
    megabytes: int
    wall: float


def measured(command: list[str], environment: Mapping[str, str], folder: Path, pages: Callable[[str], int]) -> Cost:
    """Run one command. Its CPU time is that of the process and of all children that it waited for."""
    errors = (folder / "errors.log").open("w")
    before = os.times().elapsed
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=errors, text=True)
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed:\n{printed}\n{(folder / 'errors.log').read_text()[-3000:]}")
    return Cost(pages(printed), usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024, os.times().elapsed - before)


def own_crawl(origin: str, folder: Path, *, follow: bool, workers: int) -> Cost:
    """One crawl with all features, in a new home."""
    with tempfile.TemporaryDirectory(dir=folder) as home:
        seed = f"{origin}/p/0.html" if follow else f"{{url: '{origin}/all.xml', kind: sitemap}}"
        crawl = Path(home) / "bench.yaml"
        crawl.write_text(CRAWL.format(seed=seed, follow=str(follow).lower(), concurrency=CONCURRENCY, workers=workers))
        environment = {"CRAWLHOUSE_HOME": home, "CRAWLHOUSE_CRAWLS": home, "CRAWLHOUSE_STORE": "", "CRAWLHOUSE_DATABASE": ""}
        program = [sys.executable, "-m", "benchmarks.crawl", "--once", str(crawl)]
        return measured(program, environment, folder, lambda printed: int(json.loads(printed.splitlines()[-1])["fetched"]))


def peer(name: str, origin: str, folder: Path, pages: int) -> Cost:
    """One run of a peer."""
    program = [sys.executable, "-m", "benchmarks.peers.crawlers", name, origin, str(pages)]
    return measured(program, {}, folder, lambda printed: int(json.loads(printed.splitlines()[-1])["pages"]))


def once(path: Path) -> None:
    """Crawl a file and print its counts. This runs in the process that is measured."""
    from schemas.config.crawl_file import read_crawl
    from schemas.config.settings import load_settings
    from spiders.run import crawl_once

    print(json.dumps(crawl_once(read_crawl(path), load_settings()).counts.model_dump()))


def compare(title: str, first: Callable[[], Cost], second: Callable[[], Cost], pairs: int) -> float:
    """Run the two in turn and print both medians. Returns the ratio first / second of the CPU per page."""
    costs: tuple[list[Cost], list[Cost]] = ([], [])
    for _ in range(pairs):
        costs[0].append(first())
        costs[1].append(second())
    cpu = [statistics.median(1000 * cost.cpu / cost.pages for cost in side) for side in costs]
    ratios = [one.cpu / one.pages / (two.cpu / two.pages) for one, two in zip(*costs, strict=True)]
    memory = [max(cost.megabytes for cost in side) for side in costs]
    wall = [statistics.median(1000 * cost.wall / cost.pages for cost in side) for side in costs]
    print(
        f"{title:44} {cpu[0]:7.2f} {cpu[1]:7.2f} {statistics.median(ratios):7.2f}x   {min(ratios):.2f}-{max(ratios):.2f}   "
        f"{wall[0]:6.2f} {wall[1]:6.2f}   {memory[0]:4} {memory[1]:4}",
        flush=True,
    )
    return statistics.median(ratios)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--main-cell", action="store_true", help="only the main cell")
    parser.add_argument("--once", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.once:
        once(options.once)
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_site(folder, options.pages)
        print(f"{options.pages} pages of 45 kB, 50 links each, gzip; per 1,000 pages; crawlhouse has WARC, index, robots, statistics")
        print(f"{'cell':44} {'CPU s':>7} {'peer':>7} {'ratio':>8}   {'spread':9}   {'wall s':>6} {'peer':>6}   {'MB':>4} {'peer':>4}")
        _cells(folder, options.pages, options.pairs, main_only=options.main_cell)
    return 0


def _cells(folder: Path, pages: int, pairs: int, *, main_only: bool) -> None:
    with serve(folder) as origin:
        write_sitemap(folder, pages, origin)

        def follow() -> Cost:
            return own_crawl(origin, folder, follow=True, workers=1)

        def listed() -> Cost:
            return own_crawl(origin, folder, follow=False, workers=1)

        compare("follow, compared with stock Scrapy", follow, lambda: peer("scrapy_follow", origin, folder, pages), pairs)
        if main_only:
            return
        few = max(pairs // 2, 1)
        compare("follow, compared with crawlee", follow, lambda: peer("crawlee_follow", origin, folder, pages), few)
        compare("list, compared with stock Scrapy", listed, lambda: peer("scrapy_list", origin, folder, pages), few)
        compare("list, compared with raw aiohttp (the floor)", listed, lambda: peer("aiohttp_list", origin, folder, pages), few)
        two = lambda: own_crawl(origin, folder, follow=True, workers=2)  # noqa: E731 - the same form as the calls around it
        compare("follow, two workers, compared with stock Scrapy", two, lambda: peer("scrapy_follow", origin, folder, pages), few)
    with serve(folder, charset="utf-8") as origin:
        declared = lambda: own_crawl(origin, folder, follow=True, workers=1)  # noqa: E731
        compare("follow, declared charset, stock Scrapy", declared, lambda: peer("scrapy_follow", origin, folder, pages), few)


if __name__ == "__main__":
    raise SystemExit(main())
