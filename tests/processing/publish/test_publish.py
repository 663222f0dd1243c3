"""Publishing: killed anywhere and run again, beside other publishers, with a suite that fails, under new code."""

from __future__ import annotations

import json
import re
import signal
from dataclasses import asdict
from pathlib import Path

import pytest

from processing import stages
from processing.expectations import expectations
from processing.publish.commit_run import RunChange, Stamp, _run_row
from processing.publish.gate import read_gate_mark
from processing.publish.publish import ROW_TABLES
from processing.resolve.resolution import read_resolve_mark
from processing.staging.staging import read_rows
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.errors import AccountingError, ConflictError
from schemas.keys import gated_key, staged_memory_key
from storage.lake.lake import open_lake
from storage.lake.maintenance import maintain
from storage.lake.query import connect
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store
from tests.processing.crawlruns import NOON, article, capture, closed_run, html, prose
from tests.storage.lakerows import table_of
from tests.warm.killed import code_killed_at

SITE = "https://news.example.com"
NEWS = Crawl.model_validate({"name": "news", "seeds": [SITE + "/"]})
WIRE = Crawl.model_validate({"name": "wire", "seeds": ["https://wire.example.org/"]})
STAGED = [f"publish.{when}.{table}" for table in ("captures", "quarantine", "articles", "runs") for when in ("before", "after")]
STEPS = [*STAGED, "publish.after.catalog", "publish.before.memory", "publish.before.mark"]
COLUMNS = {"articles": "url", "captures": "url", "quarantine": "url", "sightings": "crawl_run", "runs": "crawl_run"}
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
    return killed("publish", process_run, settings, failpoint)


def killed(stage: str, process_run: str, settings: Settings, failpoint: str) -> int:
    """The exit status of a process that works on a stage and is to die at a failpoint."""
    imports = "import sys; from processing import stages; from schemas.config.settings import load_settings"
    code = f"{imports}; stages.{stage}(sys.argv[1], load_settings())"
    return code_killed_at(failpoint, settings, code, process_run)


def stored(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    """All rows of the tables, published or not: the process run of each row, and a value that is unique in the run."""
    with open_lake(settings) as lake:
        scans = {name: lake.table(name).scan(selected_fields=("process_run", column)) for name, column in COLUMNS.items()}
        return {name: sorted(tuple(row.values()) for row in scan.to_arrow().to_pylist()) for name, scan in scans.items()}


def tables(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    """What readers see."""
    with connect(settings) as connection:
        return {
            "captures": connection.sql("SELECT url, outcome, reason, crawl_run, process_run FROM captures ORDER BY ALL").fetchall(),
            "articles": connection.sql("SELECT url, version, text_digest, sequence FROM articles ORDER BY ALL").fetchall(),
            "quarantine": connection.sql("SELECT url, reason, sequence FROM quarantine ORDER BY ALL").fetchall(),
            "sightings": connection.sql("SELECT dataset, row_id, seen_at, gone_at FROM sightings ORDER BY ALL").fetchall(),
            "runs": connection.sql("SELECT process_run, crawl_run, sequence, records FROM runs ORDER BY ALL").fetchall(),
        }


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_killed_at_every_step_and_run_again(lake_settings: Settings) -> None:
    closed_run(lake_settings, NEWS, "1", PAGES)
    process_run = gated_run(lake_settings, NEWS)
    for step in STEPS:
        assert publish_killed_at(process_run, lake_settings, step) == -signal.SIGKILL, step
        committed = step not in STAGED and (not lake_settings.database or step != "publish.after.catalog")
        expected = dict.fromkeys(COLUMNS, 0) | ({"articles": 2, "captures": 3, "quarantine": 1, "runs": 1} if committed else {})
        assert {name: len(rows) for name, rows in stored(lake_settings).items()} == expected, step
        assert {name: len(rows) for name, rows in tables(lake_settings).items()} == expected, step
    report = stages.publish(process_run, lake_settings)
    seen = tables(lake_settings)
    assert [len(rows) for rows in seen.values()] == [3, 2, 1, 0, 1]
    assert {row[-1] for row in seen["articles"]} == {report.sequence}
    assert stages.publish(process_run, lake_settings) == report
    assert tables(lake_settings) == seen
    ledger = open_ledger(lake_settings)
    assert ledger.memory_version("news") == 1
    assert ledger.closed_unpublished("news") == []
    ledger.close()


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "committed", [["captures"], ["captures", "quarantine", "articles"], ["captures", "quarantine", "articles", "runs"]]
)
def test_a_half_published_run_of_an_earlier_release_is_finished(
    sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch, committed: list[str]
) -> None:
    closed_run(sqlite_settings, NEWS, "1", PAGES)
    closed_run(
        sqlite_settings, WIRE, "2", [article("https://wire.example.org/copy", 1, minutes=-5), article("https://wire.example.org/own", 9)]
    )
    with monkeypatch.context() as earlier:
        earlier.setattr(stages, "code_version", lambda: "0.1.0+earlier")
        news = gated_run(sqlite_settings, NEWS)
    wire = gated_run(sqlite_settings, WIRE)
    _publish_by_half(news, sqlite_settings, committed)
    if committed[-1] != "runs":
        again = stages.plan("news", sqlite_settings)
        assert again is not None
        assert again.process_run == news
        for stage in (stages.resolve, stages.gate):  # they are staged: nothing is done by this code
            stage(news, sqlite_settings)
    report = stages.publish(wire, sqlite_settings)
    assert (report.published, report.duplicate) == (1, 1), "resolved before the original was committed, so resolved again"
    assert stages.plan("news", sqlite_settings) is None
    assert stages.publish(news, sqlite_settings).sequence < report.sequence
    counts = {name: len(rows) for name, rows in stored(sqlite_settings).items()}
    assert counts == {"articles": 4, "captures": 5, "quarantine": 1, "sightings": 0, "runs": 2}
    assert [len(rows) for rows in tables(sqlite_settings).values()] == [5, 4, 1, 0, 2]
    ledger = open_ledger(sqlite_settings)
    assert ledger.memory_version("news") == 1
    ledger.close()


def _publish_by_half(process_run: str, settings: Settings, committed: list[str]) -> None:
    """Leave the state that an earlier release left: its layout of the staging, and commits to one table after the other without a mark."""
    store, ledger = open_store(settings), open_ledger(settings)
    mark = read_resolve_mark(store, process_run)
    assert mark is not None
    base, run, stamp = mark.base.key(), ledger.process_run(process_run), Stamp(ledger.next_sequence(), NOON)
    passed = read_gate_mark(store, process_run, base)
    assert passed is not None
    for name in ROW_TABLES:
        store.put_bytes(f"staging/{process_run}/gated/{name}.parquet", store.get_bytes(gated_key(process_run, base, name)))
    store.put_bytes(f"staging/{process_run}/memory.parquet", store.get_bytes(staged_memory_key(process_run, 0)))
    for key in [info.key for info in store.list(f"staging/{process_run}/") if base in info.key or "/memory/" in info.key]:
        store.delete(key)
    counts = {crawl_run: found.to_dict() for crawl_run, found in passed.counts.items()}
    store.put_bytes(f"staging/{process_run}/gated.json", json.dumps({"base": asdict(mark.base), "counts": counts}).encode())
    store.put_bytes(f"staging/{process_run}/stamp.json", json.dumps([stamp.sequence, stamp.ingested_at.isoformat()]).encode())
    with open_lake(settings) as lake:
        for name in committed:
            change = RunChange(passed.counts, {})
            rows = [_run_row(run, ledger.manifest(crawl_run), change, stamp) for crawl_run in run.crawl_runs]
            key = gated_key(process_run, "", name)
            made = read_rows(store, key) if name != "runs" else [table_of(name, *rows)]
            lake.append(name, made, process_run)
    ledger.close()


def test_two_process_runs_of_the_same_crawl_run(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    closed_run(sqlite_settings, NEWS, "1", [PAGES[2]])
    first = gated_run(sqlite_settings, NEWS)
    monkeypatch.setattr(stages, "code_version", lambda: "0.1.0+newer")
    second = gated_run(sqlite_settings, NEWS)
    assert second != first
    stages.publish(second, sqlite_settings)
    with pytest.raises(ConflictError, match="was published by another process run"):
        stages.publish(first, sqlite_settings)
    assert [len(rows) for rows in tables(sqlite_settings).values()] == [1, 0, 1, 0, 1]


def test_no_stage_works_on_a_run_that_other_code_planned(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """While workers are updated, the old ones finish the run, or it is planned again. All its rows are made by the same code."""
    closed_run(sqlite_settings, NEWS, "1", [PAGES[2]])
    run = stages.plan("news", sqlite_settings)
    assert run is not None
    steps = {
        "extract": lambda: stages.extract(run.process_run, "1-0", sqlite_settings),
        "resolve": lambda: stages.resolve(run.process_run, sqlite_settings),
        "gate": lambda: stages.gate(run.process_run, sqlite_settings),
        "publish": lambda: stages.publish(run.process_run, sqlite_settings),
    }
    for name, step in steps.items():
        with monkeypatch.context() as updated:
            updated.setattr(stages, "code_version", lambda: "0.2.0+newer")
            with pytest.raises(ConflictError, match=r"was planned by the code .*, this is 0\.2\.0\+newer\. Let .* or process 'news' again"):
                step()
        if name != "publish":
            step()
    with monkeypatch.context() as updated:
        updated.setattr(stages, "code_version", lambda: "0.2.0+newer")
        report = stages.process_once("news", sqlite_settings)
    assert report is not None
    assert (report.process_run != run.process_run, report.code_version) == (True, "0.2.0+newer")
    with open_lake(sqlite_settings) as lake:
        assert {row["code_version"] for batch in lake.scan("captures", ["code_version"]) for row in batch.to_pylist()} == {"0.2.0+newer"}
    with pytest.raises(ConflictError, match="was published by another process run"):
        steps["publish"]()


def test_articles_that_fail_the_suite_are_held_back(
    sqlite_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "processing.publish.gate")
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
        report = stages.process_once("news", sqlite_settings)
    assert report is not None
    ((why,),) = [found.values() for found in report.held.values()]
    rows = r"between\(word_count\): 2 rows, expected to be at least 100000; first from .* \(word_count \d+\)"
    assert re.search(rows + r"; expect_column_kl_divergence_to_be_less_than\(version\)", why)
    assert f"held back: articles of news-20260301T120000Z-000001: {why}" in report.text()
    assert f"articles: 2 rows, 2 of 2 expectations not met: {why}" in caplog.text
    assert f"articles of news-20260301T120000Z-000001 is held back: {why}" in caplog.text
    assert (report.published, report.quarantined, report.rejected) == (0, 0, 3)
    assert b"word_count" in open_store(sqlite_settings).get_bytes(f"reports/{report.process_run}/expectations.json")
    found = tables(sqlite_settings)
    assert found["articles"] == []
    assert [row[1:3] for row in found["captures"]] == [("rejected", "held")] * 3


def test_records_that_are_missing_stop_the_gate(sqlite_settings: Settings) -> None:
    rows = closed_run(sqlite_settings, NEWS, "1", PAGES)
    from storage.index.rows import write_index

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


@pytest.mark.servers_in_chaos
def test_a_run_that_fetched_nothing_is_published_too(lake_settings: Settings) -> None:
    closed_run(lake_settings, NEWS, "1")
    closed_run(lake_settings, NEWS, "2", [])
    report = stages.process_once("news", lake_settings)
    assert report is not None
    assert set(report.counts().values()) == {0}
    assert [len(rows) for rows in tables(lake_settings).values()] == [0, 0, 0, 0, 2]
    assert stages.plan("news", lake_settings) is None


def test_staged_rows_are_removed_after_publishing(sqlite_settings: Settings) -> None:
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
