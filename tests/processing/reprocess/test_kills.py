"""Killed at every step of a reprocess and a rollback, and run again: the lake is the one that nothing disturbed, and readers see no gap."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
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
from tests import PROJECT
from tests.processing.lakeaccounts import check_accounts
from tests.processing.reprocess.test_again import again, history, planned, state
from tests.processing.reprocess.test_rollback import SECOND, memory
from tests.processing.test_datasets import PRODUCTS, rows, with_dataset

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(3600)]

STAGED = ["publish.before.captures", "publish.after.articles", "publish.after.runs"]
AFTER = ["publish.after.catalog", "publish.before.memory", "publish.before.mark"]
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


def killed_at(settings: Settings, failpoint: str, *what: str) -> int:
    """The exit status of a process that is to die at a failpoint."""
    given = {
        "HOME": settings.home, "CRAWLS": settings.crawls, "DATASETS": settings.datasets, "STORE": settings.store,
        "DATABASE": settings.database, "S3_ENDPOINT": settings.s3_endpoint, "FAILPOINT": failpoint,
    }  # fmt: skip
    environment = os.environ | {f"CRAWLHOUSE_{name}": str(value) for name, value in given.items()}
    return subprocess.run([sys.executable, "-c", CODE, *what], env=environment, cwd=PROJECT, check=False).returncode


@contextmanager
def reader(settings: Settings, *expected: tuple[int, int]) -> Iterator[None]:
    """Queries all the time: every capture once, and as many products as one of the expected states has."""
    stop, seen = threading.Event(), list[tuple[int, ...]]()

    def read() -> None:
        sql = "SELECT count(*), count(DISTINCT (warc_filename, warc_record_offset)), (SELECT count(*) FROM products) FROM captures"
        while not stop.wait(0.2):
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
        for number, step in enumerate(["reprocess.before.publish", *STAGED, *AFTER]):
            text = OTHER_LABEL if number % 2 == 0 else LABELLED
            place = f"{step}:{number % 3 + 1}"  # in any of the three portions
            for one in (settings, undisturbed):
                with_dataset(one, text)
            assert killed_at(settings, place, "reprocess") == -signal.SIGKILL, place
            again(settings, EVERY_CAPTURE)
            assert planned(settings, EVERY_CAPTURE) == []
            again(undisturbed, EVERY_CAPTURE)
            assert state(settings, places=False) == state(undisturbed, places=False), place
    assert memory(settings) == memory(undisturbed)


def test_a_rollback_killed_at_every_step(lake_settings: Settings, tmp_path: Path) -> None:
    settings, undisturbed = (with_dataset(one) for one in (lake_settings, Settings(home=tmp_path / "other", crawls=tmp_path)))
    for one in (settings, undisturbed):
        history(one)
        rollback(SECOND, "eve", "", one)
    without = rows(settings, "SELECT (SELECT count(*) FROM captures), (SELECT count(*) FROM products)")[0]
    for one in (settings, undisturbed):
        accept(SECOND, None, "eve", "", one)
    whole = rows(settings, "SELECT (SELECT count(*) FROM captures), (SELECT count(*) FROM products)")[0]
    with reader(settings, whole, without):
        for step in ["rollback.before.commit", *STAGED, *AFTER]:
            assert killed_at(settings, step, "rollback", SECOND) == -signal.SIGKILL, step
            for one in (settings, undisturbed):
                rollback(SECOND, "eve", "", one)
            assert state(settings, places=False) == state(undisturbed, places=False), step
            assert memory(settings) == memory(undisturbed), step
            ledger = open_ledger(settings)
            assert {one.decision for one in list_held(ledger.database)} == {None}, step
            ledger.close()
            for one in (settings, undisturbed):
                accept(SECOND, None, "eve", "", one)
            check_accounts(settings)
    assert state(settings, places=False) == state(undisturbed, places=False)
    assert stages.process_once("shop", settings) is None
