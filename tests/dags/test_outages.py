"""Both servers go away at the beginning of every task of every DAG: each task waits, says so in its log, and uses up no try."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from schemas.config.settings import Settings
from storage.lake.query import connect
from tests.dags import BEGUN
from tests.dags.dagruns import Runner, server_environment
from tests.storage.outage import Forwarder, database_behind, store_behind

pytestmark = [pytest.mark.airflow, pytest.mark.chaos, pytest.mark.xdist_group("dagruns"), pytest.mark.timeout(900)]
DATABASE_SECONDS, STORE_SECONDS = 0.7, 3.4  # the store is away for longer: most tasks ask the database first
OVER = "The outage is over after"
WITHOUT_BODY = {"verdict"}


@contextmanager
def servers(s3: Settings, postgres_url: str, home: Path) -> Iterator[tuple[Settings, Forwarder, Forwarder]]:
    """Settings with both servers behind forwarders, and these."""
    with (
        tempfile.TemporaryDirectory(prefix="crawlhouse-outage-") as folder,
        database_behind(postgres_url, Path(folder)) as (database, url),
        store_behind(s3.s3_endpoint) as (store, endpoint),
    ):
        yield s3.model_copy(update={"home": home, "database": url, "s3_endpoint": endpoint}), database, store


def test_every_task_waits_for_both_servers(
    airflow: tuple[Settings, Runner], s3_settings: Settings, postgres_url: str, tmp_path: Path
) -> None:
    run_dags = airflow[1]
    with servers(s3_settings, postgres_url, tmp_path / "home") as (settings, database, store):

        def cut() -> None:
            database.cut(DATABASE_SECONDS)
            store.cut(STORE_SECONDS)

        places = server_environment(settings)
        dags = ["crawl_refused", "process_refused", "reprocess_refused", "maintain_lake", "announce_tables", "watch_crawls"]
        runs, said = run_dags(*dags, environment=places, when_begun=cut)
        decision = {"action": "retry", "crawl": "refused", "who": "ada", "reason": "a rule was mended"}
        (decided,), more = run_dags("decide_rows", environment=places, conf=decision, when_begun=cut)
        with connect(settings) as lake:
            (counted,) = lake.sql("SELECT count(*), count(DISTINCT (warc_filename, warc_record_offset)) FROM captures").fetchall()
    runs.append(decided)
    assert [run["state"] for run in runs] == ["success"] * len(runs), said + more
    assert {task: tries for run in runs for task, tries in run["tries"].items() if tries > 1} == {}
    bodies = [part.partition("\n") for part in (said + more).split(BEGUN)[1:]]
    begun = [name for name, _, _ in bodies]
    tasks = {task for run in runs for task, state in run["tasks"].items() if state == "success"}
    assert set(begun) == tasks - WITHOUT_BODY
    assert [name for name, _, log in bodies if OVER not in log] == []
    assert counted[0] == counted[1] > 30  # nothing is lost or doubled
