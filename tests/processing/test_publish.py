"""Publishing: killed anywhere and run again, beside other publishers, with a suite that fails, under new code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from processing import expectations, stages
from schemas.crawl import Crawl
from schemas.errors import AccountingError, ConflictError, GateError
from schemas.settings import Settings
from storage.lake import open_lake
from storage.lakequery import connect
from storage.ledger import open_ledger
from storage.maintenance import maintain
from storage.objects import open_store
from tests.processing.crawlruns import article, capture, closed_run, html, prose

SITE = "https://news.example.com"
NEWS = Crawl.model_validate({"name": "news", "seeds": [SITE + "/"]})
WIRE = Crawl.model_validate({"name": "wire", "seeds": ["https://wire.example.org/"]})
STEPS = [f"publish.{when}.{table}" for table in ("captures", "quarantine", "articles", "runs") for when in ("before", "after")]
STEPS = [*STEPS[:6], "publish.before.memory", *STEPS[6:], "publish.before.mark"]
PAGES = [
    article(SITE + "/1", 1),
    article(SITE + "/2", 2),
    capture(SITE + "/2026/03/short-notice", html("Short notice", [prose(9)[0][:120]])),
]


def gated_run(settings: Settings, crawl: Crawl) -> str:
    """A process run that is ready to be published."""
    run = stages.plan(crawl.name, settings)
    assert run is not None
    for segment in stages.segments(run.process_run, settings):
        stages.extract(run.process_run, segment, settings)
    stages.resolve(run.process_run, settings)
    stages.gate(run.process_run, settings)
    return run.process_run


def publish_killed_at(process_run: str, settings: Settings, failpoint: str) -> int:
    """The exit status of a publisher that is to die at a failpoint."""
    code = "import sys; from processing.stages import publish; from schemas.settings import load_settings as s; publish(sys.argv[1], s())"
    environment = os.environ | {
        "CRAWLHOUSE_HOME": str(settings.home),
        "CRAWLHOUSE_CRAWLS": str(settings.crawls),
        "CRAWLHOUSE_STORE": settings.store,
        "CRAWLHOUSE_DATABASE": settings.database,
        "CRAWLHOUSE_S3_ENDPOINT": settings.s3_endpoint,
        "CRAWLHOUSE_FAILPOINT": failpoint,
    }
    root = Path(__file__).parents[2]
    return subprocess.run([sys.executable, "-c", code, process_run], env=environment, cwd=root, check=False).returncode


def tables(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    """What readers see."""
    with connect(settings) as connection:
        return {
            "captures": connection.sql("SELECT url, outcome, reason, crawl_run, process_run FROM captures ORDER BY ALL").fetchall(),
            "articles": connection.sql("SELECT url, version, text_digest, sequence FROM articles ORDER BY ALL").fetchall(),
            "quarantine": connection.sql("SELECT url, reason, sequence FROM quarantine ORDER BY ALL").fetchall(),
            "runs": connection.sql("SELECT process_run, crawl_run, sequence, records FROM runs ORDER BY ALL").fetchall(),
        }


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_killed_at_every_step_and_run_again(lake_settings: Settings) -> None:
    closed_run(lake_settings, NEWS, "1", PAGES)
    process_run = gated_run(lake_settings, NEWS)
    for step in STEPS:
        assert publish_killed_at(process_run, lake_settings, step) == -signal.SIGKILL, step
        seen = tables(lake_settings)
        assert len(seen["articles"]) == (0 if step in STEPS[: STEPS.index("publish.after.runs")] else 2), step
    report = stages.publish(process_run, lake_settings)
    seen = tables(lake_settings)
    assert [len(rows) for rows in seen.values()] == [3, 2, 1, 1]
    assert {row[-1] for row in seen["articles"]} == {report.sequence}
    assert stages.publish(process_run, lake_settings) == report
    assert tables(lake_settings) == seen
    ledger = open_ledger(lake_settings)
    assert ledger.memory_version("news") == 1
    assert ledger.closed_unpublished("news") == []
    ledger.close()


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_a_half_published_run_is_finished_first(sqlite_settings: Settings) -> None:
    closed_run(sqlite_settings, NEWS, "1", PAGES)
    closed_run(
        sqlite_settings, WIRE, "2", [article("https://wire.example.org/copy", 1, minutes=-5), article("https://wire.example.org/own", 9)]
    )
    news, wire = gated_run(sqlite_settings, NEWS), gated_run(sqlite_settings, WIRE)
    assert publish_killed_at(news, sqlite_settings, "publish.after.captures") == -signal.SIGKILL
    again = stages.plan("news", sqlite_settings)
    assert again is not None
    assert again.process_run == news
    report = stages.publish(wire, sqlite_settings)
    assert (report.published, report.duplicate) == (1, 1), "resolved before the original was committed, so resolved again"
    assert stages.plan("news", sqlite_settings) is None
    assert stages.publish(news, sqlite_settings).sequence < report.sequence
    assert [len(rows) for rows in tables(sqlite_settings).values()] == [5, 4, 1, 2]


def test_two_process_runs_of_the_same_crawl_run(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    closed_run(sqlite_settings, NEWS, "1", [PAGES[2]])
    first = gated_run(sqlite_settings, NEWS)
    monkeypatch.setattr(stages, "code_version", lambda: "0.1.0+newer")
    second = gated_run(sqlite_settings, NEWS)
    assert second != first
    stages.publish(second, sqlite_settings)
    with pytest.raises(ConflictError, match="was published by another process run"):
        stages.publish(first, sqlite_settings)
    assert [len(rows) for rows in tables(sqlite_settings).values()] == [1, 0, 1, 1]


def test_a_failed_suite_publishes_nothing(sqlite_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = tmp_path / "expectations" / "articles.json"
    suite.parent.mkdir()
    suite.write_text(
        '{"name": "articles", "expectations": [{"type": "expect_column_values_to_be_between",'
        ' "kwargs": {"column": "word_count", "min_value": 100000}},'
        ' {"type": "expect_column_kl_divergence_to_be_less_than", "kwargs": {"column": "version", "threshold": 0.1,'
        ' "partition_object": {"values": [1, 2], "weights": [0.5, 0.5]}}}]}'
    )
    closed_run(sqlite_settings, NEWS, "1", PAGES)
    with monkeypatch.context() as patched:
        patched.setattr(expectations, "suite_path", lambda: suite)
        with pytest.raises(GateError, match=r"between\(word_count\): 2 rows.*; expect_column_kl_divergence_to_be_less_than\(version\)"):
            stages.process_once("news", sqlite_settings)
    run = stages.plan("news", sqlite_settings)
    assert run is not None
    assert b"word_count" in open_store(sqlite_settings).get_bytes(f"reports/{run.process_run}/expectations.json")
    with pytest.raises(ConflictError, match="has not passed the gate"):
        stages.publish(run.process_run, sqlite_settings)
    with open_lake(sqlite_settings) as lake:
        assert lake.snapshot_id("captures") is None


def test_records_that_are_missing_stop_the_gate(sqlite_settings: Settings) -> None:
    rows = closed_run(sqlite_settings, NEWS, "1", PAGES)
    from storage.captureindex import write_index

    index = rows[0].warc_filename.replace("warc/", "index/").replace(".warc.gz", ".parquet")
    open_store(sqlite_settings).put_bytes(index, write_index(rows[:2]))
    with pytest.raises(AccountingError, match="registered 3 records, but 2 were processed"):
        stages.process_once("news", sqlite_settings)


def test_stages_in_the_wrong_order_say_so(sqlite_settings: Settings) -> None:
    closed_run(sqlite_settings, NEWS, "1", PAGES)
    run = stages.plan("news", sqlite_settings)
    assert run is not None
    with pytest.raises(ConflictError, match="Run extract for every segment"):
        stages.resolve(run.process_run, sqlite_settings)
    with pytest.raises(ConflictError, match="Run resolve before gate"):
        stages.gate(run.process_run, sqlite_settings)


def test_a_run_that_fetched_nothing_is_published_too(lake_settings: Settings) -> None:
    closed_run(lake_settings, NEWS, "1")
    closed_run(lake_settings, NEWS, "2", [])
    report = stages.process_once("news", lake_settings)
    assert report is not None
    assert set(report.counts().values()) == {0}
    assert [len(rows) for rows in tables(lake_settings).values()] == [0, 0, 0, 2]
    assert stages.plan("news", lake_settings) is None


def test_what_was_staged_goes_when_it_is_published(sqlite_settings: Settings) -> None:
    closed_run(sqlite_settings, NEWS, "1", [PAGES[2]])
    run = stages.plan("news", sqlite_settings)
    assert run is not None
    store = open_store(sqlite_settings)
    stages.extract(run.process_run, "1-0", sqlite_settings)
    assert maintain(sqlite_settings).staged_deleted == 0
    report = stages.process_once("news", sqlite_settings)
    staged = len(list(store.list("staging/")))
    assert staged > 0
    assert maintain(sqlite_settings).staged_deleted == staged
    assert not list(store.list("staging/"))
    assert stages.publish(run.process_run, sqlite_settings) == report
