"""The composed cluster at work on one crawl, with a twin that is never disturbed, and what a disturbance did to Airflow's tasks."""

from __future__ import annotations

import shutil
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

import crawlhouse
from crawlhouse.airflow.api import AirflowApi, DagRun
from processing.stages import process_once
from schemas.config.crawl_file import read_crawl
from schemas.config.settings import Settings
from schemas.errors import NotFoundError, UnavailableError
from spiders.run import crawl_once
from storage.ledger.ledger import Ledger, open_ledger
from tests import seaweed
from tests.chaos.composed import SECONDS, Composed, Service
from tests.chaos.servers import Broker, Postgres, valkey
from tests.processing.crawlruns import html, prose
from tests.spiders.sharedhosts import gaps
from tests.spiders.smallserver import Headers, SmallServer, small_server

CRAWL = "small"
HOSTS, PAGES, DELAY = 4, 24, 0.5
MACHINES = ("first", "second")
TRIES = 4  # of a task, see dags.defaults.RETRIES
RUN_SECONDS = 600.0  # of a run with a lost worker: a minute to notice, another to try again; three if it had not begun its task yet
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
    """The running cluster, its twin, and the servers that can be disturbed."""

    cluster: Composed
    twin: Settings
    site: Site
    web: SmallServer
    twin_web: SmallServer
    store: seaweed.Seaweed
    database: Postgres
    broker: Broker
    clock: MachineClock  # of the second machine's fetcher
    api: AirflowApi
    ledger: Ledger
    services: dict[str, Service] = field(default_factory=dict)
    table: list[str] = field(default_factory=list)

    def start(self, name: str) -> None:
        """Start a service, or start it again; `name` is MACHINE-SERVICE."""
        machine, _, service = name.partition("-")
        more = self.clock.environment if name == "second-fetcher" else {}
        self.services[name] = self.cluster.start(service, machine, **more)

    def restart_ended(self) -> None:
        """Start the services again that ended, as Docker does."""
        for name, service in list(self.services.items()):
            if service.process.poll() is not None:
                self.start(name)

    def wait_for(self, is_done: Callable[[], bool], seconds: float = SECONDS) -> None:
        """Wait, and start the services again that end meanwhile."""
        deadline = time.monotonic() + seconds
        while not is_done():
            assert time.monotonic() < deadline
            self.restart_ended()
            time.sleep(0.1)

    def machine_of(self, dag: str, run_id: str, task: str) -> str:
        """The machine on which a task runs, found by its log; empty if it does not run yet."""
        for machine in MACHINES:
            logs = (self.cluster.folder / machine / "airflow" / "logs").rglob("attempt=*.log")
            if any({f"dag_id={dag}", f"task_id={task}"} <= set(log.parts) and f"run_id={run_id}" in log.parts for log in logs):
                return machine
        return ""

    def new_process_run(self, known: set[str]) -> str:
        """The id of the process run that is not known; empty if there is none yet."""
        return next((run.run_id for run in self.process_runs() if run.run_id not in known), "")

    def process_runs(self) -> list[DagRun]:
        """The runs of the crawl's processing."""
        return self.api.dag_runs(f"process_{CRAWL}")

    def state(self, run: DagRun) -> str:
        """The state of a run; unknown while the API server does not answer."""
        try:
            return self.api.dag_run(run.dag_id, run.run_id).state
        except UnavailableError:
            return "unknown"

    def log(self, run: DagRun, map_index: int, task: str = "fetch", number: int = 1) -> str:
        """The log of one try of a task, as the UI shows it."""
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task}/logs/{number}"
        shown = self.api._call("GET", path, query={"map_index": map_index, "full_content": "true"}).json()["content"]
        return "\n".join(str(line.get("event", "")) for line in shown)

    def why_failed(self, run: DagRun) -> str:
        """The tasks of a run that did not succeed, and the end of each try's log."""
        told: list[str] = []
        for task in self.api.tasks(run):
            for number in range(1, TRIES + 1) if task.state != "success" else ():
                with suppress(NotFoundError):
                    told.append(f"{task}, try {number}: {self.log(run, task.map_index, task.task_id, number)[-2000:]}")
        return "\n".join(told)

    def is_published(self) -> bool:
        """Whether every run of the crawl is closed and published."""
        return not self.ledger.unclosed_runs(CRAWL) and not self.ledger.closed_unpublished(CRAWL)

    def tries(self, runs: list[DagRun], since: float) -> tuple[str, str]:
        """How many seconds after a time the first try of a task was seen to have failed, and its second began; "-" if none did."""
        failed, again = [], []
        for run in runs:
            for task in self.api.tasks(run):
                path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task.task_id}"
                path += f"/{task.map_index}/tries" if task.map_index >= 0 else "/tries"
                tries = sorted(self.api._call("GET", path).json()["task_instances"], key=lambda one: int(one["try_number"]))
                for before, after in pairwise(tries):
                    failed += _after(before["end_date"], since)
                    again += _after(after["start_date"], since)
        return tuple(f"{min(times):.0f} s" if times else "-" for times in (failed, again))  # type: ignore[return-value] two of them

    def crawl_twin(self) -> None:
        """The twin crawls and processes this edition, from a server of its own, so that the other's log is of the cluster alone."""
        crawl = read_crawl(self.twin.crawls / f"{CRAWL}.yaml")
        crawl_once(crawl, self.twin, urls=[seed.url for seed in crawl.seeds])
        process_once(CRAWL, self.twin)

    def rows(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """What is compared of the cluster's lake, and of the twin's."""
        return _rows(self.cluster.settings, self.web), _rows(self.twin, self.twin_web)

    def smallest_gap(self, first: int) -> float:
        """The smallest time between two requests to one host, of the requests from the `first` on. In seconds."""
        since = SmallServer(self.web.base, self.web.asked[first:])
        return min(min(times) for times in gaps(since).values())


def _after(text: str | None, since: float) -> list[float]:
    moment = datetime.fromisoformat(text).timestamp() if text else 0.0
    return [moment - since] if moment > since else []


def _rows(settings: Settings, web: SmallServer) -> dict[str, list[str]]:
    """What is compared of a lake, without the port of the server."""
    port = web.base.rpartition(":")[2]
    with crawlhouse.open(settings.home, store=settings.store or None, database=settings.database or "") as house:
        return {name: sorted(str(row).replace(f":{port}/", "/") for row in house.query(sql)) for name, sql in TABLES.items()}


class MachineClock:
    """The wall clock of a machine, which can be set ahead while its processes run. Without a C compiler it is always right."""

    def __init__(self, folder: Path) -> None:
        self._file, library = folder / "ahead", folder / "clock_ahead.so"
        self.set(0)
        self.environment: dict[str, str] = {}
        compiler = shutil.which("cc")
        if compiler:
            source = Path(__file__).with_name("clock_ahead.c")
            subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
            self.environment = {"LD_PRELOAD": str(library), "CLOCK_AHEAD_FILE": str(self._file)}

    def set(self, seconds: int) -> None:
        """Set it so many seconds ahead."""
        with self._file.open("r+b" if self._file.exists() else "wb") as file:  # the same file: processes have it in their memory
            file.write(struct.pack("q", seconds))


@contextmanager
def running_stack(postgres_server: Any, folder: Path) -> Iterator[Stack]:
    """A cluster of two machines at work, with one fetcher and one worker each."""
    with ExitStack() as parts, pytest.MonkeyPatch.context() as patch:
        site, store = Site(), parts.enter_context(seaweed.seaweed_server())
        for name, value in {"ACCESS_KEY_ID": seaweed.ACCESS_KEY, "SECRET_ACCESS_KEY": seaweed.SECRET_KEY}.items():
            patch.setenv(f"AWS_{name}", value)
        patch.setenv("CRAWLHOUSE_S3_ENDPOINT", store.url)  # for crawlhouse.open()
        web, twin_web = (parts.enter_context(small_server(site, host="0.0.0.0")) for _ in range(2))
        broker = parts.enter_context(valkey(folder / "broker"))
        settings = _settings(postgres_server, folder, store.url)
        cluster = Composed(settings, broker, folder, fetch_concurrency="1")
        parts.callback(cluster.end)
        cluster.initialise()
        twin = Settings(home=folder / "twin", crawls=folder / "twin-crawls", store=str(folder / "twin-store"))
        twin.crawls.mkdir()
        _write_crawl(settings, web, DELAY)
        _write_crawl(twin, twin_web, 0)
        ledger, database = open_ledger(cluster.settings), Postgres(postgres_server)
        parts.callback(ledger.close)
        made: list[Any] = [cluster, twin, site, web, twin_web, store, database, broker, MachineClock(folder), None, ledger]
        stack = Stack(*made)
        for name in ("api-server", "scheduler", "dag-processor", "worker", "fetcher"):
            stack.start(f"first-{name}")
        for name in ("fetcher", "worker"):
            stack.start(f"second-{name}")
        with cluster.api() as stack.api:
            stack.api.wait_for_dag(f"process_{CRAWL}", SECONDS)
            yield stack


def _settings(postgres_server: Any, folder: Path, endpoint: str) -> Settings:
    admin = create_engine(postgres_server.get_uri(driver="psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE composed"))
    admin.dispose()
    return Settings(
        home=folder / "first" / "home",
        crawls=folder / "crawls",
        database=postgres_server.get_uri(database="composed"),
        store=f"s3://{seaweed.BUCKET}/composed",
        s3_endpoint=endpoint,
    )


def _write_crawl(settings: Settings, server: SmallServer, delay: float) -> None:
    port = server.base.rpartition(":")[2]
    seeds = [f"http://127.0.0.{host}:{port}/news/story-{page + 100 * host}" for host in range(1, HOSTS + 1) for page in range(PAGES)]
    polite = f"network: {{allow: [127.0.0.0/8]}}\npoliteness: {{delay: {delay}, robots: ignore, opt_outs: record}}\n"
    text = f"workers: 2\nseeds: {seeds}\nscope: {{sitemaps: false, feeds: false, follow_links: false}}\n{polite}"
    (settings.crawls / f"{CRAWL}.yaml").write_text(text, encoding="utf-8")
