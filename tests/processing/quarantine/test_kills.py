"""Killed at every step of a release, a retry, a drop and an acceptance, and run again: the lake is the one that nothing disturbed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from processing import stages
from processing.accept import accept
from processing.quarantine import decisions
from processing.quarantine.decisions import drop, release, retry
from processing.quarantine.selection import QuarantineFilter, find_rows
from schemas.config.settings import Settings
from schemas.keys import report_key
from storage.lake.lake import open_lake
from storage.lake.takedown import Takedowns
from storage.ledger.held import list_held
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store
from tests import PROJECT
from tests.processing.crawlruns import capture, closed_run, html, prose
from tests.processing.lakeaccounts import check_accounts
from tests.processing.test_datasets import CRAWL, PRODUCTS, SHOP, product, rows, with_dataset
from tests.warm.killed import code_killed_at, command_killed_at, environment_of
from tests.warm.popen import WARM_CODE

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800)]

TABLES = ("captures", "quarantine", "products", "sightings", "runs")
STAGED = [f"publish.{when}.{table}" for table in TABLES for when in ("before", "after")]
STEPS = [*STAGED, "publish.after.catalog", "publish.before.memory", "publish.before.mark"]
WARNED = PRODUCTS + "expectations: [{type: expect_column_values_to_be_between, column: price, min_value: 0, severity: warning}]\n"
CORRECTED = WARNED.replace("{css: .price,", "{css: h1,")
CRITICAL = PRODUCTS + "expectations: [{type: expect_column_values_to_be_between, column: price, min_value: 0}]\n"
CODE = """
import sys
from processing.accept import accept
from processing.quarantine import decisions
from processing.quarantine.decisions import release, retry
from processing.quarantine.selection import QuarantineFilter
from schemas.config.settings import load_settings
what, which = sys.argv[1:]
if what == "accept":
    accept(which, None, "eve", "", load_settings())
elif what == "drop":
    decisions.CHUNK_ROWS = 1
    decisions.drop(QuarantineFilter(url=which), "eve", "", load_settings())
else:
    {"release": release, "retry": retry}[what](QuarantineFilter(ids=frozenset([which])), "eve", "", load_settings())
"""


def lake(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """What readers see, without what names process runs and their order."""
    columns = {
        "captures": "url, crawl_run, outcome, reason, detail, outcomes",
        "quarantine": "url, rule, detail, row_json, row_id",
        "products": "sku, version, price, name, changed, first_seen, url",
        "sightings": "row_id, seen_at, gone_at, url, crawl_run",
        "runs": "crawl_run, kind, records, published, quarantined, rejected, datasets, decided_by",
    }
    return {name: rows(settings, f"SELECT {chosen} FROM {name} ORDER BY ALL") for name, chosen in columns.items()}


def counts(settings: Settings) -> tuple[Any, ...]:
    """How many products, rows in quarantine and runs readers see, at one time."""
    (found,) = rows(settings, "SELECT (SELECT count(*) FROM products), (SELECT count(*) FROM quarantine), (SELECT count(*) FROM runs)")
    return found


def by_url(settings: Settings) -> dict[str, str]:
    """The ids of the rows in quarantine."""
    with open_lake(settings) as opened:
        return {row.url: row.id for row in find_rows(opened, QuarantineFilter(), Takedowns())}


def prepared(settings: Settings) -> Settings:
    """A shop with two rows in quarantine for each step: one to release, and one to try again by a corrected definition."""
    settings = with_dataset(settings, WARNED)
    pages = [product(f"r{number}", f"R{number}", f"-{number + 1}", number) for number in range(len(STEPS))]
    pages += [product(f"t{number}", f"T{number}", "dear", 50 + number, name=f"{number + 1}.00") for number in range(len(STEPS))]
    closed_run(settings, CRAWL, "1", pages)
    assert stages.process_once("shop", settings) is not None
    with_dataset(settings, CORRECTED)
    return settings


def settled(settings: Settings, step: int, what: str) -> QuarantineFilter:
    """The row of one step."""
    url = f"{SHOP}/p/{what[0] if what == 'release' else 't'}{step}"
    return QuarantineFilter(ids=frozenset([by_url(settings)[url]]))


def test_a_release_and_a_retry_killed_at_every_step(lake_settings: Settings, tmp_path: Path) -> None:
    settings = prepared(lake_settings)
    for number, step in enumerate(STEPS):
        for what, decide in (("release", release), ("retry", retry)):
            wanted = settled(settings, number, what)
            before = counts(settings)
            (one,) = wanted.ids
            assert code_killed_at(step, settings, CODE, what, one) == -signal.SIGKILL, step
            committed = step not in STAGED and (not settings.database or step != "publish.after.catalog")
            after = (before[0] + 1, before[1] - 1, before[2] + 1)
            assert counts(settings) == (after if committed else before), step
            assert bool(decide(wanted, "eve", "", settings).already) == committed
            assert counts(settings) == after, step
    check_accounts(settings)
    undisturbed = prepared(Settings(home=tmp_path / "other", crawls=tmp_path))
    for number in range(len(STEPS)):
        for what, decide in (("release", release), ("retry", retry)):
            decide(settled(undisturbed, number, what), "eve", "", undisturbed)
    assert lake(settings) == lake(undisturbed)


DROPPED = [f"publish.{when}.articles" for when in ("before", "after")]
DROP_STEPS = [*DROPPED, *STEPS]
BETWEEN = ["publish.before.captures:2", "publish.after.catalog:2"]  # a row of the selection is settled, another one is not


def with_two_broken_rows(settings: Settings, count: int) -> Settings:
    """A shop with so many pairs of rows in quarantine: a product, and an article that is too short. A pair has one page's number."""
    settings = with_dataset(settings, WARNED)
    pages = [product(f"kettle-{number}", f"R{number}", f"-{number + 1}", number) for number in range(count)]
    notices = (html(f"Notice {number}", [prose(number)[0][:120]]) for number in range(count))
    pages += [capture(f"{SHOP}/2026/03/short-notice-{number}", notice, 50 + number) for number, notice in enumerate(notices)]
    closed_run(settings, CRAWL, "1", pages)
    assert stages.process_once("shop", settings) is not None
    return settings


def unfinished(settings: Settings) -> set[str]:
    """The process runs that readers see but that have no report, or are not in the ledger."""
    published = {name for (name,) in rows(settings, "SELECT process_run FROM runs")}
    ledger, store = open_ledger(settings), open_store(settings)
    found = {name for name in published if store.info(report_key(name, "report.json")) is None} | (published & ledger.unpublished())
    ledger.close()
    return found


def test_a_drop_killed_at_every_step(lake_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = len(DROP_STEPS) + len(BETWEEN)
    settings = with_two_broken_rows(lake_settings, count)
    assert counts(settings)[1] == 2 * count
    for number, step in enumerate([*DROP_STEPS, *BETWEEN]):
        url = f"{SHOP}/*-{number}"
        before = counts(settings)
        if step in BETWEEN:
            died, settled = code_killed_at(step, settings, CODE, "drop", url), 1
        else:
            died, settled = command_killed_at(step, settings, "quarantine", "drop", "--url", url, "--reason", "", "--who", "eve"), 0
        committed = step.startswith("publish.before.m") or (step.startswith("publish.after.catalog") and not settings.database)
        settled += (2 - settled) * committed
        assert died == -signal.SIGKILL, step
        assert counts(settings)[:2] == (0, before[1] - settled), step
        assert drop(QuarantineFilter(url=url), "eve", "", settings).outcomes.total() == 2 - settled, step
        assert counts(settings)[:2] == (0, before[1] - 2), step
        assert not unfinished(settings), step
    check_accounts(settings)
    undisturbed = with_two_broken_rows(Settings(home=tmp_path / "other", crawls=tmp_path), count)
    for number in range(count):
        if number == len(DROP_STEPS):
            monkeypatch.setattr(decisions, "CHUNK_ROWS", 1)
        drop(QuarantineFilter(url=f"{SHOP}/*-{number}"), "eve", "", undisturbed)
    assert lake(settings) == lake(undisturbed)


def test_two_processes_release_the_same_row(lake_settings: Settings) -> None:
    settings = prepared(lake_settings)
    (one,) = settled(settings, 0, "release").ids
    command = [sys.executable, "-c", WARM_CODE + CODE, "release", one]
    both = [subprocess.Popen(command, env=environment_of(settings), cwd=PROJECT) for _ in range(2)]
    assert [process.wait(300) for process in both] == [0, 0]
    assert rows(settings, "SELECT sku FROM products") == [("R0",)]
    assert rows(settings, "SELECT count(*) FROM runs WHERE kind = 'release'") == [(1,)]
    check_accounts(settings)


def test_an_acceptance_killed_at_some_steps(lake_settings: Settings, tmp_path: Path) -> None:
    steps = ["publish.before.captures", "publish.after.runs", "publish.after.catalog", "publish.before.mark"]

    def held(settings: Settings) -> Settings:
        settings = with_dataset(settings, CRITICAL)
        for number in range(len(steps)):
            closed_run(settings, CRAWL, str(number), [product("1", "A1", f"-{number + 1}", number * 60)])
        assert stages.process_once("shop", settings) is not None
        return settings

    settings, undisturbed = held(lake_settings), held(Settings(home=tmp_path / "other", crawls=tmp_path))
    for number, step in enumerate(steps):
        crawl_run = f"shop-20260301T120000Z-{number:06}"
        assert code_killed_at(step, settings, CODE, "accept", crawl_run) == -signal.SIGKILL, step
        accept(crawl_run, None, "eve", "", settings)
        assert accept(crawl_run, None, "eve", "", settings).report is None
        accept(crawl_run, None, "eve", "", undisturbed)
    check_accounts(settings)
    assert lake(settings) == lake(undisturbed)
    ledger = open_ledger(settings)
    assert {one.decision for one in list_held(ledger.database)} == {"accepted"}
    ledger.close()
