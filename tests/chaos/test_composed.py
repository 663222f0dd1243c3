"""The compose files' services with workers on two machines, disturbed one thing at a time: each time the lake equals an undisturbed one.

All runs are of one crawl, one after the other, against a site that changes between them. The undisturbed lake is that of a home on SQLite
that crawls and processes the same site without Airflow.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import crawlhouse
from crawlhouse.airflow.api import AirflowApi, DagRun
from processing.stages import process_once
from schemas.config.crawl_file import read_crawl
from schemas.config.settings import Settings
from schemas.errors import UnavailableError
from spiders.run import crawl_once
from storage.ledger.ledger import open_ledger
from tests import seaweed
from tests.processing.crawlruns import html, prose
from tests.spiders.smallserver import Headers, SmallServer, small_server
from tests.storage.outage import Forwarder, database_behind, store_behind
from tests.system.composed import SECONDS, Composed, Service, valkey

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1200)]
HOSTS, PAGES, DELAY = 4, 12, 0.5
LEASE_AND_RETRY_SECONDS = 400.0
TABLES = {
    "articles": "SELECT url, version, text_digest FROM articles",
    "captures": "SELECT url, outcome, count(*) FROM captures WHERE kind <> 'robots' GROUP BY ALL",
}


class Site:
    """Pages of which a quarter changes with each edition."""

    edition = 0

    def __call__(self, path: str, times: int) -> tuple[int, Headers, bytes]:
        number = path.removeprefix("/news/story-")
        if not number.isdigit():
            return 404, {}, b""
        edition = self.edition if int(number) % 4 == 0 else 0
        return 200, {}, html(f"The story of number {number}", prose(int(number) + 1000 * edition)).encode()


@dataclass
class Stack:
    """The running cluster, its undisturbed twin, and what can be disturbed."""

    cluster: Composed
    twin: Settings
    site: Site
    server: SmallServer
    store: Forwarder
    database: Forwarder
    api: AirflowApi
    services: dict[str, Service] = field(default_factory=dict)
    table: list[str] = field(default_factory=list)

    def start(self, name: str) -> None:
        """Start a service, or start it again; `name` is MACHINE-SERVICE."""
        machine, _, service = name.partition("-")
        self.services[name] = self.cluster.start(service, machine)

    def wait_for(self, is_done: Callable[[], bool], seconds: float = SECONDS) -> float:
        """Wait; returns how long it took."""
        begun = time.monotonic()
        while not is_done():
            assert time.monotonic() - begun < seconds
            time.sleep(0.1)
        return time.monotonic() - begun

    def runs(self, run: DagRun, task: str) -> bool:
        """Whether a task of a run is at work."""
        return any(one.task_id == task and one.state == "running" for one in self.api.tasks(run))

    def state(self, run: DagRun) -> str:
        """The state of a run. Services that ended are started again, as Docker does; while they are away it is unknown."""
        for name, service in list(self.services.items()):
            if service.process.poll() is not None:
                self.start(name)
        try:
            return self.api.dag_run(run.dag_id, run.run_id).state
        except UnavailableError:
            return "unknown"


@pytest.fixture(scope="module")
def stack(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder, site = tmp_path_factory.mktemp("composed"), Site()
    with ExitStack() as parts, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", seaweed.ACCESS_KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", seaweed.SECRET_KEY)
        store, endpoint = parts.enter_context(store_behind(parts.enter_context(seaweed.seaweed())))
        sockets = parts.enter_context(tempfile.TemporaryDirectory(prefix="crawlhouse-sockets-"))
        _make_database(postgres_server)
        database, url = parts.enter_context(database_behind(postgres_server.get_uri(database="composed"), Path(sockets)))
        patch.setenv("CRAWLHOUSE_S3_ENDPOINT", endpoint)  # for crawlhouse.open()
        server = parts.enter_context(small_server(site, host="0.0.0.0"))
        settings = Settings(
            home=folder / "first" / "home",
            crawls=folder / "crawls",
            database=url,
            store=f"s3://{seaweed.BUCKET}/composed",
            s3_endpoint=endpoint,
        )
        cluster = Composed(settings, parts.enter_context(valkey()), folder)
        parts.callback(cluster.end)
        cluster.initialise()
        _write_crawl(settings, server)
        twin = Settings(home=folder / "twin", crawls=settings.crawls, store=str(folder / "twin-store"))
        stack = Stack(cluster, twin, site, server, store, database, None)  # type: ignore[arg-type] it needs the services first
        for name in ("api-server", "scheduler", "dag-processor", "worker", "fetcher"):
            stack.start(f"first-{name}")
        for name in ("fetcher", "worker"):
            stack.start(f"second-{name}")
        with cluster.api() as stack.api:
            stack.api.wait_for_dag("process_small", SECONDS)
            yield stack
        print("\n" + "\n".join(stack.table))


def _make_database(postgres_server: Any) -> None:
    from sqlalchemy import create_engine, text

    admin = create_engine(postgres_server.get_uri(driver="psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE composed"))
    admin.dispose()


def _write_crawl(settings: Settings, server: SmallServer) -> None:
    port = server.base.rpartition(":")[2]
    seeds = [f"http://127.0.0.{host}:{port}/news/story-{page + 100 * host}" for host in range(1, HOSTS + 1) for page in range(PAGES)]
    polite = f"network: {{allow: [127.0.0.0/8]}}\npoliteness: {{delay: {DELAY}, robots: ignore, opt_outs: record}}\n"
    text = f"workers: 2\nseeds: {seeds}\nscope: {{sitemaps: false, feeds: false, follow_links: false}}\n{polite}"
    (settings.crawls / "small.yaml").write_text(text, encoding="utf-8")


def _rows(settings: Settings) -> dict[str, list[str]]:
    with crawlhouse.open(settings.home, store=settings.store or None, database=settings.database or "") as house:
        return {name: sorted(map(str, house.query(sql))) for name, sql in TABLES.items()}


Disturb = Callable[[Stack], float]


def kill(name: str) -> Disturb:
    def disturb(stack: Stack) -> float:
        stack.services[name].kill()
        time.sleep(5.0)
        stack.start(name)
        return 5.0

    return disturb


def freeze(stack: Stack) -> float:
    frozen = stack.services["second-fetcher"].suspend()
    time.sleep(75.0)
    for process in frozen:
        if process.is_running():
            process.resume()
    return 75.0


def cut_store(stack: Stack) -> float:
    stack.store.cut(20.0)
    return 20.0


def cut_database(stack: Stack) -> float:
    stack.database.cut(15.0)
    return 15.0


DISTURBANCES: list[tuple[str, str, str, Disturb | None]] = [
    ("nothing", "crawl", "fetch", None),
    ("kill -9 of a fetcher's machine", "crawl", "fetch", kill("second-fetcher")),
    ("kill -9 of the scheduler", "crawl", "fetch", kill("first-scheduler")),
    ("store away for 20 s", "crawl", "fetch", cut_store),
    ("database away for 15 s", "crawl", "fetch", cut_database),
    ("fetcher's machine frozen for 75 s", "crawl", "fetch", freeze),
    ("kill -9 of a worker in extract", "process", "extract", kill("second-worker")),
    ("kill -9 of a worker in resolve", "process", "resolve", kill("second-worker")),
    ("kill -9 of a worker in publish", "process", "publish", kill("second-worker")),
]


@pytest.mark.parametrize(("what", "kind", "task", "disturb"), DISTURBANCES, ids=[one[0] for one in DISTURBANCES])
def test_the_lake_equals_an_undisturbed_one(stack: Stack, what: str, kind: str, task: str, disturb: Disturb | None) -> None:
    stack.site.edition += 1
    urls = [seed.url for seed in read_crawl(stack.twin.crawls / "small.yaml").seeds]
    begun, ledger = time.monotonic(), open_ledger(stack.cluster.settings)
    known = {run.run_id for run in stack.api.dag_runs("process_small")}
    run = stack.api.trigger("crawl_small", {"urls": urls})
    if disturb is not None and kind == "crawl":
        stack.wait_for(lambda: stack.runs(run, task))
        time.sleep(3.0)
        disturb(stack)
    if disturb is not None and kind == "process":
        stack.wait_for(lambda: any(stack.runs(one, task) for one in stack.api.dag_runs("process_small") if one.run_id not in known))
        disturb(stack)
    stack.wait_for(lambda: stack.state(run) in {"success", "failed"}, LEASE_AND_RETRY_SECONDS)
    assert stack.state(run) == "success"
    stack.wait_for(
        lambda: bool(ledger.crawl_runs("small", state="closed")) and not ledger.closed_unpublished("small"), LEASE_AND_RETRY_SECONDS
    )
    seconds = time.monotonic() - begun
    ledger.close()
    crawl_once(read_crawl(stack.twin.crawls / "small.yaml"), stack.twin, urls=urls)
    process_once("small", stack.twin)
    equal = _rows(stack.cluster.settings) == _rows(stack.twin)
    stack.table.append(f"| {what} | {kind} {task} | {seconds:.0f} s | {'equal' if equal else 'DIFFERENT'} |")
    assert equal
