"""Killed at every step of a reprocess and a rollback, several times in each: the lake is the undisturbed one, and readers see no gap."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from processing import stages
from processing.accept import accept
from processing.reprocess.rollback import rollback
from processing.reprocess.selection import Selected
from schemas.config.settings import Settings
from storage.ledger.held import list_held
from storage.ledger.ledger import open_ledger
from tests.processing.lakeaccounts import check_accounts
from tests.processing.reprocess.test_again import again, history, planned, state
from tests.processing.reprocess.test_rollback import SECOND, memory
from tests.processing.test_datasets import PRODUCTS, rows, with_dataset
from tests.warm.killed import code_killed_at

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(3600)]

# The kills of one work after the other, each in what the last left; `:2` is in the second portion that is left.
REPROCESS_KILLS = [
    ["reprocess.before.publish", "publish.before.captures:2", "publish.after.catalog:2"],
    ["publish.after.articles", "publish.before.memory:2"],
    ["publish.after.runs:3", "publish.before.mark"],
]
ROLLBACK_KILLS = [
    ["rollback.before.commit", "publish.before.captures", "publish.after.catalog"],
    ["publish.after.articles", "publish.before.memory"],
    ["publish.after.runs", "publish.before.mark"],
]
EVERY_CAPTURE = Selected(url="*")  # one process run for each crawl run
LABELLED = PRODUCTS.replace("name: h1", "name: h1, label: h1")
OTHER_LABEL = PRODUCTS.replace("name: h1", "name: h1, label: .sku")
CODE = """
import sys
from processing.reprocess.again import extract_all, publish
from processing.reprocess.portions import plan
from processing.reprocess.rollback import rollback
from processing.reprocess.selection import Selected
from processing.resources import open_resources
from schemas.config.settings import load_settings
settings = load_settings()
if sys.argv[1] == "rollback":
    rollback(sys.argv[2], "eve", "", settings)
else:
    with open_resources(settings) as resources:
        found = plan("shop", Selected(url="*"), settings, resources).process_runs
    for run in found:
        extract_all(run.process_run, settings)
        publish(run.process_run, settings)
"""


def killed(steps: list[str], settings: Settings, *what: str) -> list[tuple[str, int]]:
    """The exit statuses of one work that is killed at each step, and begun again."""
    return [(step, code_killed_at(step, settings, CODE, *what)) for step in steps]


def killed_all(steps: list[str]) -> list[tuple[str, int]]:
    """The exit statuses if each of them was reached."""
    return [(step, -signal.SIGKILL) for step in steps]


@contextmanager
def reader(settings: Settings, *expected: tuple[int, int]) -> Iterator[None]:
    """Queries all the time: every capture once, and as many products as one of the expected states has."""
    stop, seen = threading.Event(), list[tuple[int, ...]]()

    def read() -> None:
        sql = "SELECT count(*), count(DISTINCT (warc_filename, warc_record_offset)), (SELECT count(*) FROM products) FROM captures"
        while not stop.wait(0.5):
            seen.extend(rows(settings, sql))

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert seen
    assert {(total, distinct) for total, distinct, _ in seen if total != distinct} == set()
    assert {(total, products) for total, _, products in seen} <= set(expected)


def test_a_reprocess_killed_at_every_step(lake_settings: Settings, tmp_path: Path) -> None:
    settings, undisturbed = (with_dataset(one, LABELLED) for one in (lake_settings, Settings(home=tmp_path / "other", crawls=tmp_path)))
    history(settings)
    history(undisturbed)
    now = rows(settings, "SELECT (SELECT count(*) FROM captures), (SELECT count(*) FROM products)")[0]
    with reader(settings, now):
        for number, steps in enumerate(REPROCESS_KILLS):
            for one in (settings, undisturbed):
                with_dataset(one, LABELLED if number % 2 else OTHER_LABEL)
            assert killed(steps, settings, "reprocess") == killed_all(steps)
            again(settings, EVERY_CAPTURE)
            assert planned(settings, EVERY_CAPTURE) == []
            again(undisturbed, EVERY_CAPTURE)
            assert state(settings, places=False) == state(undisturbed, places=False), steps
    assert memory(settings) == memory(undisturbed)


def test_a_rollback_killed_at_every_step(lake_settings: Settings, tmp_path: Path) -> None:
    settings, undisturbed = (with_dataset(one) for one in (lake_settings, Settings(home=tmp_path / "other", crawls=tmp_path)))
    for one in (settings, undisturbed):
        history(one)
    whole = rows(settings, "SELECT (SELECT count(*) FROM captures), (SELECT count(*) FROM products)")[0]
    rollback(SECOND, "eve", "", undisturbed)
    rolled_back, its_memory = state(undisturbed, places=False), memory(undisturbed)
    without = rows(undisturbed, "SELECT (SELECT count(*) FROM captures), (SELECT count(*) FROM products)")[0]
    accept(SECOND, None, "eve", "", undisturbed)
    with reader(settings, whole, without):
        for steps in ROLLBACK_KILLS:
            assert killed(steps, settings, "rollback", SECOND) == killed_all(steps)
            rollback(SECOND, "eve", "", settings)
            assert state(settings, places=False) == rolled_back, steps
            assert memory(settings) == its_memory, steps
            ledger = open_ledger(settings)
            assert {one.decision for one in list_held(ledger.database)} == {None}, steps
            ledger.close()
            accept(SECOND, None, "eve", "", settings)
            check_accounts(settings)
    assert state(settings, places=False) == state(undisturbed, places=False)
    assert stages.process_once("shop", settings) is None
