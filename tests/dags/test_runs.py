"""Whole runs by a real Airflow: a task that fails finally says why and is not retried, and what was fetched is kept."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from processing.accept import accept
from processing.quarantine.decisions import drop, release, retry
from processing.quarantine.rejudge import rejudge
from processing.quarantine.selection import QuarantineFilter
from processing.reprocess.rollback import rollback
from processing.resources import current_datasets, open_resources
from processing.stages import process_once
from schemas.config.settings import Settings
from schemas.keys import report_key
from storage.lake.query import connect
from storage.ledger.held import list_held
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store
from tests.crawlhouse.monitor.sinks import web_hook
from tests.dags.dagruns import Runner, server_environment
from tests.demosite import DemoSite
from tests.shopcrawl import BETWEEN, DATASETS, NOT_NULL, check_shop, write_dataset

pytestmark = [pytest.mark.airflow, pytest.mark.system, pytest.mark.xdist_group("dagruns"), pytest.mark.timeout(600)]

SUITE = {
    "name": "articles",
    "expectations": [{"type": "expect_column_values_to_be_between", "kwargs": {"column": "word_count", "min_value": 100_000}}],
}


def test_what_another_try_cannot_mend_is_red_at_once_with_one_sentence(airflow: tuple[Settings, Runner]) -> None:
    """A missed threshold keeps what was fetched; a spider that cannot be imported is told before anything is."""
    settings, run_dags = airflow
    with web_hook() as hook:
        where = {"CRAWLHOUSE_NOTIFY_HOOK": f"json://127.0.0.1:{hook.port}/"}
        (few, silent, lost), said = run_dags("crawl_few", "crawl_silent", "crawl_lost", environment=where)
        ((watched,), _) = run_dags("watch_crawls", environment=where)
    assert watched["state"] == "success"
    assert [one["title"] for one in hook.received] == ["few missed a threshold", "silent missed a threshold", "lost failed"]
    assert "half_written cannot be imported: SyntaxError" in hook.received[2]["message"]
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
    _check_that_nothing_is_due("silent", run_dags)
    assert len(ledger.crawl_runs("silent")) == 1
    ledger.close()


def _check_that_nothing_is_due(crawl: str, run_dags: Runner) -> None:
    """Its failed URLs are due later: a run says when, leaves no row of zeros, and is not red."""
    ((idle,), said) = run_dags(f"crawl_{crawl}")
    assert (idle["state"], set(idle["tasks"].values())) == ("success", {"skipped"})
    assert re.search(rf"Nothing of {crawl} is due; next at \d{{4}}-\d\d-\d\d \d\d:\d\d UTC \(http://127", said)


def test_the_whole_way_with_everything_on_servers(
    airflow: tuple[Settings, Runner], dag_site: DemoSite, s3_settings: Settings, postgres_url: str, tmp_path: Path
) -> None:
    settings = s3_settings.model_copy(update={"home": tmp_path / "home", "database": postgres_url})
    run_dags, shop, places = airflow[1], ["crawl_shop", "process_shop"], server_environment(settings)
    first_tick = dag_site.shop_clock
    runs, said = run_dags("crawl_refused", "process_refused", *shop, environment=places)  # which nobody refuses here
    assert "w0 ended as 'budget:max_pages': 30 fetched" in said
    dag_site.tick_shop()
    again, _ = run_dags(*shop, environment=places)
    assert [run["state"] for run in [*runs, *again]] == ["success"] * 6
    with connect(settings) as lake:
        counted = lake.sql("SELECT fetched, records, published + known + duplicate + quarantined + rejected FROM runs").fetchall()
        (captures,) = lake.sql("SELECT count(*), count(DISTINCT (warc_filename, warc_record_offset)) FROM captures").fetchall()
    assert len(counted) == 3
    assert all(fetched > 0 and records == added >= fetched for fetched, records, added in counted)
    assert captures == (sum(records for _, records, _ in counted),) * 2
    check_shop(settings, [first_tick, first_tick + 1])
    for crawl, tables in {"refused": ["articles"], "shop": ["offers", "shelf", "products"]}.items():
        for table in tables:
            _check_events(airflow[0], settings, crawl, table)


def test_three_datasets_with_everything_on_this_machine(airflow: tuple[Settings, Runner], dag_site: DemoSite) -> None:
    settings, run_dags = airflow
    first_tick = dag_site.shop_clock
    runs, _ = run_dags("crawl_shop", "process_shop")
    dag_site.tick_shop()
    again, _ = run_dags("crawl_shop")
    assert [run["state"] for run in [*runs, *again]] == ["success"] * 3
    by_command = process_once("shop", settings)  # as `crawlhouse process shop` does it
    check_shop(settings, [first_tick, first_tick + 1])
    ((remade,), said) = run_dags("reprocess_shop")
    assert remade["tasks"].pop("extract") == "success"
    assert set(remade["tasks"].values()) == {"success"}
    assert "offers: " in said
    with connect(settings) as lake:
        (found,) = lake.sql(
            "SELECT count(*), count(*) FILTER (runs.kind = 'reprocess') FROM captures JOIN runs USING (process_run, crawl_run)"
        ).fetchall()
    assert found[0] == found[1] > 0
    check_shop(settings, [first_tick, first_tick + 1])  # its spider was called again, with the stored responses
    _change_rows_by_commands(settings)
    run_dags("announce_tables")
    ((again_told,), _) = run_dags("announce_tables")
    assert again_told["state"] == "success"
    _check_that_commands_are_announced(settings)
    assert by_command is not None
    _check_that_processing_is_announced_after_an_hour(by_command.process_run, settings, run_dags)


def _change_rows_by_commands(settings: Settings) -> None:
    """Let rows come and go without a task that publishes, in each way that there is."""
    release(QuarantineFilter(dataset="offers", rule=BETWEEN), "ada", "a voucher", settings)
    write_dataset(settings.crawls, "offers", DATASETS["offers"].replace("_not_be_null, column: price", "_not_be_null, column: sku"))
    retry(QuarantineFilter(dataset="offers", rule=NOT_NULL), "ada", "may be missing", settings)
    drop(QuarantineFilter(dataset="offers"), "ada", "no offers", settings)  # no table changes by it
    write_dataset(settings.crawls, "shelf", DATASETS["shelf"].replace("unit: currency", "unit: currency, misfit: empty"))
    with open_resources(settings) as resources:
        latest = resources.ledger.process_run(resources.ledger.process_runs("shop")[-1])
        datasets = current_datasets(latest.crawl, latest.crawl_runs, settings, resources)
        rejudge(replace(latest, datasets=datasets), settings, resources)  # as the next process run does it
    with connect(settings) as lake:
        newest = lake.execute("SELECT max(crawl_run) FROM runs WHERE crawl = 'shop'").fetchall()[0][0]
    rollback(newest, "ada", "test prices", settings)
    accept(newest, None, "ada", "real prices", settings)


def _check_that_commands_are_announced(settings: Settings) -> None:
    """One event for each change of a table, however often it is looked at."""
    of_all = {"reprocess", "rollback", "accept"}
    by_table = {"offers": of_all | {"release", "retry"}, "products": of_all, "shelf": of_all | {"rejudge"}}
    ledger = open_ledger(settings)
    with connect(settings) as lake:
        query = "SELECT DISTINCT kind, process_run, sequence FROM runs WHERE crawl = 'shop' AND kind != 'process' ORDER BY sequence"
        replaced = lake.sql(query).fetchall()
    for table, kinds in by_table.items():
        told = [event for event in _events(settings, table) if event["kind"] != "process" and event["crawl"] == "shop"]
        told = [event for event in told if event["process_run"] in {run for _, run, _ in replaced}]
        ours = [run for run in replaced if run[0] in kinds]
        assert [(event["kind"], event["process_run"], event["sequence"]) for event in told] == ours, table
        assert {kind for kind, _, _ in ours} == kinds
        assert all(event["made"] == event["published"] + event["unchanged"] + event["quarantined"] for event in told)
        assert [event["snapshot"] for event in told] == [ledger.commits(run)[table] for _, run, _ in ours]
    ledger.close()


def _check_that_processing_is_announced_after_an_hour(process_run: str, settings: Settings, run_dags: Runner) -> None:
    """Until then the task that published it, had there been one, might still make the event itself."""
    tables = ("offers", "products", "shelf")

    def told() -> list[str]:
        return [table for table in tables for event in _events(settings, table) if event["process_run"] == process_run]

    assert told() == []
    with closing(sqlite3.connect(settings.database_file("frontier"))) as database, database:
        changed = database.execute("UPDATE process_runs SET published_at = published_at - 3660 WHERE process_run = ?", [process_run])
        assert changed.rowcount == 1
    run_dags("announce_tables", "announce_tables")
    assert told() == list(tables)


def _events(project: Settings, table: str) -> list[dict[str, Any]]:
    """What the events of a table carry, in their order. Airflow stores the URI `crawlhouse://articles` with a slash at its end."""
    with closing(sqlite3.connect(project.home.parent / "airflow" / "airflow.db")) as database:
        query = "SELECT asset_event.extra FROM asset_event JOIN asset ON asset.id = asset_id WHERE uri = ? ORDER BY asset_event.id"
        return [json.loads(extra) for (extra,) in database.execute(query, [f"crawlhouse://{table}/"])]


def _check_events(project: Settings, settings: Settings, crawl: str, table: str) -> None:
    """Each publish has told those who wait for the table what came, as the lake and the ledger have it."""
    events = _events(project, table)
    ledger = open_ledger(settings)
    with connect(settings) as lake:
        runs = lake.execute("SELECT process_run, sequence FROM runs WHERE crawl = $1 ORDER BY sequence", [crawl]).fetchall()
        rows = lake.sql(f"SELECT sequence, count(*) FROM {table} GROUP BY sequence").fetchall()
    ours = [event for event in events if event["process_run"] in {process_run for process_run, _ in runs}]
    told = [run for run in runs if run[1] in dict(rows)]  # a publish without new rows tells nothing
    assert told
    assert [(event["process_run"], event["sequence"], event["crawl"]) for event in ours] == [(*run, crawl) for run in told]
    assert [event["snapshot"] for event in ours] == [ledger.commits(process_run)[table] for process_run, _ in told]
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


def test_articles_that_fail_the_gate_are_held_back_and_all_else_is_published(airflow: tuple[Settings, Runner], tmp_path: Path) -> None:
    settings, run_dags = airflow
    suite = tmp_path / "articles.json"
    suite.write_text(json.dumps(SUITE), encoding="utf-8")
    ((crawled, processed), said) = run_dags("crawl_gated", "process_gated", suite=suite)
    assert (crawled["state"], processed["state"]) == ("success", "success")
    assert "held back: articles of gated-" in said
    assert "expect_column_values_to_be_between(word_count)" in said
    ledger = open_ledger(settings)
    (process_run,) = ledger.process_runs("gated")
    assert [(one.dataset, one.decision) for one in list_held(ledger.database, "gated")] == [("articles", None)]
    assert open_store(settings).info(report_key(process_run, "expectations.json")) is not None
    assert ledger.closed_unpublished("gated") == []
    ledger.close()
    with connect(settings) as lake:
        query = "SELECT records, published + known + duplicate + quarantined + rejected, published FROM runs WHERE crawl = 'gated'"
        (counts,) = lake.sql(query).fetchall()
    assert counts[0] == counts[1] > 20
    assert counts[2] == 0
