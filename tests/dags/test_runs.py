"""Whole runs by a real Airflow: a task that fails finally says why and is not retried, and what was fetched is kept."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from schemas.config.settings import Settings
from schemas.keys import report_key
from storage.lake.query import connect
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store
from tests.dags import ANSWER
from tests.dags.conftest import DAGS
from tests.demosite import run_demo_site

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("dagruns"), pytest.mark.timeout(600)]

CRAWL = """
seeds: {seeds}
network: {{allow: [127.0.0.1/32]}}
politeness: {{delay: 0}}
scope: {{max_depth: 1}}
budgets: {{max_pages: 30, max_retries: 0}}
thresholds: {thresholds}
"""
SUITE = {
    "name": "articles",
    "expectations": [{"type": "expect_column_values_to_be_between", "kwargs": {"column": "word_count", "min_value": 100_000}}],
}


class Runner:
    """A process that has imported Airflow once and runs DAGs on demand."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(
        self, *dags: str, environment: dict[str, str] | None = None, suite: Path | None = None, refuse_to_fetch: bool = False
    ) -> tuple[list[dict[str, Any]], str]:
        """What became of each DAG's run, and all that was logged."""
        order = {"dags": dags, "environment": environment or {}, "suite": str(suite or ""), "refuse_to_fetch": refuse_to_fetch}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        said: list[str] = []
        for line in self._process.stdout:
            if line.startswith(ANSWER):
                return json.loads(line.removeprefix(ANSWER)), "".join(said)
            said.append(line)
        raise AssertionError("".join(said))


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Runner]]:
    """A project with crawls that miss their thresholds, and what runs their DAGs in its migrated Airflow."""
    folder = tmp_path_factory.mktemp("red")
    settings = Settings(home=folder / "var", crawls=folder / "crawls", store="", database="")
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW__", "CRAWLHOUSE_"))},
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "CRAWLHOUSE_HOME": str(settings.home),
        "CRAWLHOUSE_CRAWLS": str(settings.crawls),
    }
    with run_demo_site(folder / "site") as site:
        _write_crawls(settings.crawls, site.bases[0] + "/")
        subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=environment, check=True, capture_output=True)
        command = [sys.executable, "-m", "tests.dags.rundags", str(DAGS)]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        with subprocess.Popen(command, env=environment, cwd=DAGS.parent, text=True, **pipes) as process:
            yield settings, Runner(process)
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(60) == 0


def _write_crawls(folder: Path, good: str) -> None:
    folder.mkdir()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        silent = f"http://127.0.0.1:{unused.getsockname()[1]}/"
    for name, seeds, thresholds in (
        ("few", [good], "{min_pages: 500}"),
        ("silent", [silent, silent + "news"], "{max_error_rate: 0.5}"),
        ("refused", [good], "{}"),
        ("gated", [good], "{}"),
    ):
        (folder / f"{name}.yaml").write_text(CRAWL.format(seeds=seeds, thresholds=thresholds), encoding="utf-8")
    (folder / "lost.yaml").write_text(f"seeds: ['{good}']\nspider: half_written:Spider\n", encoding="utf-8")
    (folder / "half_written.py").write_text("class Spider(:\n", encoding="utf-8")


def test_what_another_try_cannot_mend_is_red_at_once_with_one_sentence(airflow: tuple[Settings, Runner]) -> None:
    """A missed threshold keeps what was fetched; a spider that cannot be imported is told before anything is."""
    settings, run_dags = airflow
    (few, silent, lost), said = run_dags("crawl_few", "crawl_silent", "crawl_lost")
    assert (lost["state"], lost["tasks"]["plan"], lost["tries"]["plan"]) == ("failed", "failed", 1)
    assert "half_written cannot be imported: SyntaxError" in said
    for run in (few, silent):
        assert run["state"] == "failed"
        assert run["tasks"] == {"plan": "success", "fetch": "success", "close": "failed", "verdict": "upstream_failed"}
        assert run["tries"]["close"] == 1
    assert "fetched 30 pages, fewer than thresholds.min_pages = 500. Worst was 127.0.0.1:" in said
    assert "2 of 2 fetches failed, more than thresholds.max_error_rate = 0.5. Worst was 127.0.0.1:" in said
    ledger = open_ledger(settings)
    for name, fetched in (("few", 30), ("silent", 0)):
        (closed,) = ledger.crawl_runs(name, state="closed")
        counts = ledger.manifest(closed.crawl_run).counts
        assert counts.balanced()
        assert counts.fetched == fetched
    assert ledger.closed_unpublished("few")
    ledger.close()


def test_the_whole_way_with_everything_on_servers(
    airflow: tuple[Settings, Runner], s3_settings: Settings, postgres_url: str, tmp_path: Path
) -> None:
    settings = s3_settings.model_copy(update={"home": tmp_path / "home", "database": postgres_url})
    places = {
        "CRAWLHOUSE_HOME": str(settings.home),
        "CRAWLHOUSE_STORE": settings.store,
        "CRAWLHOUSE_S3_ENDPOINT": settings.s3_endpoint,
        "CRAWLHOUSE_DATABASE": settings.database,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    dags = ["crawl_refused", "process_refused"]  # which nobody refuses here
    runs, said = airflow[1](*dags, *dags, environment=places)
    assert [run["state"] for run in runs] == ["success"] * 4
    assert "w0 ended as 'budget:max_pages': 30 fetched" in said
    with connect(settings) as lake:
        counted = lake.sql("SELECT fetched, records, published + known + duplicate + quarantined + rejected FROM runs").fetchall()
        (captures,) = lake.sql("SELECT count(*), count(DISTINCT (warc_filename, warc_record_offset)) FROM captures").fetchall()
    assert len(counted) == 2
    assert all(fetched > 0 and records == added >= fetched for fetched, records, added in counted)
    assert captures == (sum(records for _, records, _ in counted),) * 2
    _check_events(airflow[0], settings)


def _check_events(project: Settings, settings: Settings) -> None:
    """Each publish has told those who wait for the table what came, as the lake and the ledger have it.

    Airflow stores the URI `crawlhouse://articles` with a slash at its end.
    """
    with closing(sqlite3.connect(project.home.parent / "airflow" / "airflow.db")) as database:
        query = (
            "SELECT asset_event.extra FROM asset_event JOIN asset ON asset.id = asset_id "
            "WHERE uri = 'crawlhouse://articles/' ORDER BY asset_event.id"
        )
        events = [json.loads(extra) for (extra,) in database.execute(query)]
    ledger = open_ledger(settings)
    with connect(settings) as lake:
        runs = lake.sql("SELECT process_run, sequence FROM runs ORDER BY sequence").fetchall()
        rows = lake.sql("SELECT sequence, count(*) FROM articles GROUP BY sequence").fetchall()
    ours = [event for event in events if event["process_run"] in {process_run for process_run, _ in runs}]
    told = [run for run in runs if run[1] in dict(rows)]  # a publish without new articles tells nothing
    assert told
    assert [(event["process_run"], event["sequence"], event["crawl"]) for event in ours] == [(*run, "refused") for run in told]
    assert [event["snapshot"] for event in ours] == [ledger.commits(process_run)["articles"] for process_run, _ in told]
    assert {event["sequence"]: event["published"] for event in ours} == dict(rows)
    assert all(event["made"] == event["published"] + event["unchanged"] + event["quarantined"] for event in ours)
    ledger.close()


def test_a_worker_that_fails_for_good_turns_the_run_red_although_it_is_closed(airflow: tuple[Settings, Runner]) -> None:
    settings, run_dags = airflow
    ((run,), said) = run_dags("crawl_refused", refuse_to_fetch=True)
    assert run["state"] == "failed"
    assert run["tasks"] == {"plan": "success", "fetch": "failed", "close": "success", "verdict": "upstream_failed"}
    assert run["tries"]["fetch"] == 1
    assert "This worker refuses." in said
    ledger = open_ledger(settings)
    assert ledger.unclosed_runs("refused") == {}
    ledger.close()


def test_a_gate_that_fails_is_red_publishes_nothing_and_passes_once_the_suite_does(
    airflow: tuple[Settings, Runner], tmp_path: Path
) -> None:
    settings, run_dags = airflow
    suite = tmp_path / "articles.json"
    suite.write_text(json.dumps(SUITE), encoding="utf-8")
    ((crawled, red), said) = run_dags("crawl_gated", "process_gated", suite=suite)
    assert (crawled["state"], red["state"]) == ("success", "failed")
    assert (red["tasks"]["resolve"], red["tasks"]["gate"], red["tasks"]["publish"]) == ("success", "failed", "upstream_failed")
    assert red["tries"]["gate"] == 1
    assert "The expectation suite failed for p-" in said
    assert "expect_column_values_to_be_between(word_count)" in said
    ledger = open_ledger(settings)
    (process_run,) = ledger.process_runs("gated")
    assert ledger.commits(process_run) == {}
    assert open_store(settings).info(report_key(process_run, "expectations.json")) is not None
    ((green,), said) = run_dags("process_gated")
    assert green["state"] == "success"
    assert f"processed as {process_run}" in said
    assert ledger.closed_unpublished("gated") == []
    ledger.close()
    with connect(settings) as lake:
        (counts,) = lake.sql("SELECT records, published + known + duplicate + quarantined + rejected FROM runs").fetchall()
    assert counts[0] == counts[1] > 20
