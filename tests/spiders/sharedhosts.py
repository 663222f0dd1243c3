"""A crawl of many hosts on one small server, by several workers: the server's log by host, and who registered how much."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise

from schemas.config.crawl import Crawl
from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.manifest import Manifest
from spiders.run import fetch
from spiders.spool.statistics import WorkerStatistics
from spiders.worker_process import stop_workers
from storage.index.rows import CaptureRow, read_index
from storage.objects.open import open_store
from tests.spiders.smallserver import SmallServer


def many_hosts(server: SmallServer, hosts: int, pages: int, delay: float) -> Crawl:
    """A crawl of `pages` pages on each of the addresses 127.0.0.1, 127.0.0.2, ... of a server that listens on all of them."""
    port = server.base.rpartition(":")[2]
    seeds = [f"http://127.0.0.{host}:{port}/{page}" for host in range(1, hosts + 1) for page in range(pages)]
    polite = f"network: {{allow: [127.0.0.0/8]}}\npoliteness: {{delay: {delay}, robots: ignore, opt_outs: record}}\n"
    return parse_crawl(f"seeds: {seeds}\nscope: {{sitemaps: false, feeds: false}}\n{polite}", "shared")


def respond(path: str, times: int) -> tuple[int, dict[str, str], bytes]:
    """A page of its own for each path."""
    return 200, {}, f"<title>{path}</title><p>This is the page {path}.".encode()


def gaps(server: SmallServer) -> dict[str, list[float]]:
    """The seconds from the end of each request to the begin of the next, by host."""
    times: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for one in sorted(server.asked, key=lambda one: one.begin):
        times[one.headers["Host"]].append((one.begin, one.end))
    return {host: [after[0] - before[1] for before, after in pairwise(spans)] for host, spans in times.items()}


def pages_by_worker(manifest: Manifest, settings: Settings) -> Counter[str]:
    """The registered captures of each worker."""
    return Counter(worker for worker, _ in _captures(manifest, settings))


def hosts_by_worker(manifest: Manifest, settings: Settings) -> dict[str, set[str]]:
    """The hosts of which each worker registered captures."""
    found: dict[str, set[str]] = defaultdict(set)
    for worker, row in _captures(manifest, settings):
        found[worker].add(row.url.split("/")[2])
    return found


def _captures(manifest: Manifest, settings: Settings) -> list[tuple[str, CaptureRow]]:
    store = open_store(settings)
    parts = ((re.sub(r"-\d{3}-[0-9a-f]{6}-\d{5}$", "", one.segment), one.index_key) for one in manifest.segments)
    return [(worker, row) for worker, key in parts for row in read_index(store.get_bytes(key))]


@dataclass
class Workers(ExitStack):
    """Workers of one run, each a process of its own, that start at any time. All of them end with the context."""

    settings: Settings
    crawl_run: str

    def __post_init__(self) -> None:
        super().__init__()
        self._pool = ThreadPoolExecutor(16)
        self.callback(self._pool.shutdown)
        self.callback(stop_workers)

    def start(self, name: str) -> Future[WorkerStatistics]:
        """Start a worker."""
        return self._pool.submit(fetch, self.crawl_run, name, self.settings)
