"""The services of the compose files as processes: PostgreSQL, SeaweedFS, Valkey, and Airflow with workers on two machines."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crawlhouse.airflow.api import AirflowApi, DagRun
from schemas.config.settings import Settings
from storage.ledger.ledger import open_ledger
from tests.chaos.composed import FILES, SECONDS, Composed
from tests.chaos.servers import valkey
from tests.spiders.sharedhosts import gaps, respond
from tests.spiders.smallserver import small_server

BROKER_QUEUE = "_kombu.binding.process"  # where Celery keeps who reads the queue `process`
HOSTS, PAGES, DELAY = 3, 25, 1.0
REQUEUE_SECONDS = 60.0  # the scheduler looks every 5 s, and then plans and sends the task again
GRACE_SECONDS = 60.0  # as in the compose files
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]


@pytest.fixture
def cluster(s3_settings: Settings, postgres_url: str, tmp_path: Path) -> Iterator[Composed]:
    settings = s3_settings.model_copy(update={"home": tmp_path / "first" / "home", "crawls": tmp_path / "crawls", "database": postgres_url})
    with valkey(tmp_path / "broker") as broker:
        cluster = Composed(settings, broker, tmp_path)
        try:
            cluster.initialise()
            for name in ("api-server", "scheduler", "dag-processor", "worker"):
                cluster.start(name)
            yield cluster
        finally:
            cluster.end()


def wait_until(is_done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_done():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _log(api: AirflowApi, run: DagRun) -> str:
    """The log of the only fetch task, of its first try, as the UI shows it."""
    path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/fetch/logs/1"
    shown = api._call("GET", path, query={"map_index": 0, "full_content": "true"}).json()["content"]
    return "\n".join(str(line.get("event", "")) for line in shown)


def test_a_task_goes_through_the_broker_to_a_worker(cluster: Composed) -> None:
    with cluster.api() as api:
        api.wait_for_dag("maintain_lake", SECONDS)
        run = api.wait(api.trigger("maintain_lake"), SECONDS)
        assert run.state == "success"
        assert api.xcom(run, "maintain") == dict.fromkeys(api.xcom(run, "maintain"), 0)  # type: ignore[call-overload] an empty lake
    assert cluster.broker.client.exists(BROKER_QUEUE)
    cluster.run("upkeep", "once")
    cluster.start("triggerer")
    first = FILES[True]["services"]
    for name in ("api-server", "dag-processor", "scheduler", "triggerer"):
        check = [word.replace("http://api-server:8080", cluster.url) for word in first[name]["healthcheck"]["test"][1:]]
        check = [word.replace("http://127.0.0.1:8080", cluster.url) for word in check]
        wait_until(lambda: is_healthy(check, cluster.environment(name)))  # noqa: B023 it is called before the next round


def is_healthy(check: list[str], environment: dict[str, str]) -> bool:
    return subprocess.run(check, env=environment, check=False, capture_output=True).returncode == 0


def test_a_task_that_a_lost_worker_took_and_one_that_waited_run_later(cluster: Composed) -> None:
    """One task's message is gone with a worker that never began it. The other waits so long that its first message is of no use."""
    scheduler = cluster.environment("scheduler")
    seconds = float(scheduler["AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT"])
    with cluster.api() as api:
        api.wait_for_dag("maintain_lake", SECONDS)
        cluster.services[-1].kill()
        run, queued = api.trigger("maintain_lake"), time.monotonic()
        wait_until(lambda: bool(cluster.broker.client.lpop("process")))
        wait_until(lambda: bool(cluster.broker.client.llen("short") > 1))  # the first message, and that which replaces it
        assert seconds <= time.monotonic() - queued < seconds + REQUEUE_SECONDS
        cluster.start("worker")
        assert api.wait(run, SECONDS).state == "success"
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances"
        tries = {task["task_id"]: task["try_number"] for task in api._call("GET", path).json()["task_instances"]}
    assert tries == {"maintain": 1, "tidy": 1}  # no retry was used up


def test_a_worker_that_ends_hands_its_fetch_to_another_machine(cluster: Composed, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM reaches its spider, which registers what it has. The other machine has no crawl files, and a home of its own."""
    with small_server(respond, host="0.0.0.0") as server, cluster.api() as api:
        port = server.base.rpartition(":")[2]
        seeds = [f"http://127.0.0.{host}:{port}/{page}" for host in range(1, HOSTS + 1) for page in range(PAGES)]
        polite = f"network: {{allow: [127.0.0.0/8]}}\npoliteness: {{delay: {DELAY}, robots: ignore, opt_outs: record}}\n"
        text = f"seeds: {seeds}\nscope: {{sitemaps: false, feeds: false, follow_links: false}}\n{polite}"
        (cluster.settings.crawls / "small.yaml").write_text(text, encoding="utf-8")
        first = cluster.start("fetcher")
        api.wait_for_dag("crawl_small", SECONDS)
        run = api.trigger("crawl_small")
        wait_until(lambda: len(server.asked) >= 2 * HOSTS)
        asked = time.monotonic()
        first.process.terminate()
        assert first.process.wait(GRACE_SECONDS) == 0
        assert time.monotonic() - asked < GRACE_SECONDS / 2
        ledger = open_ledger(cluster.settings)
        (crawl_run,) = ledger.crawl_runs("small")
        registered = sum(segment.records for segment in ledger.segments(crawl_run.crawl_run))
        assert registered == len(server.asked) >= 2 * HOSTS
        cluster.start("fetcher", "second")
        assert api.wait(run, SECONDS).state == "success"
        assert ledger.manifest(crawl_run.crawl_run).counts.fetched == HOSTS * PAGES
        asked_for = Counter((one.headers["Host"], one.path) for one in server.asked)
        assert len(asked_for) == asked_for.total() == HOSTS * PAGES
        assert min(min(times) for times in gaps(server).values()) >= DELAY - 0.02
        log = _log(api, run)
        assert "The spider was asked to end" in log  # of the first machine
        assert "finished" in log  # of the second
        wait_until(lambda: not ledger.closed_unpublished("small"))
        ledger.close()
    assert not [path for machine in ("first", "second") for path in (cluster.home(machine) / "spool").rglob("*") if path.is_file()]
