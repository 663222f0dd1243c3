"""Killed at every step of an erasure, several times in one, and run again: the same state as without a kill, while readers see no gap."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from processing.erase.erasing import erase
from processing.erase.plan import pending_plans
from schemas.config.settings import Settings
from storage.lake.query import connect
from storage.objects.open import open_store
from tests.processing.erase.erasehome import ENTRIES, GONE, NEEDLES, fill
from tests.processing.erase.everybyte import left
from tests.processing.erase.savedhome import SavedHome
from tests.processing.lakeaccounts import check_accounts
from tests.processing.reprocess.test_again import state
from tests.processing.test_datasets import rows
from tests.warm.killed import command_killed_at

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(3600)]

STEPS = [
    "erase.before.find", "erase.after.segment", "erase.after.segment:3", "erase.before.manifest", "erase.before.staged",
    "erase.before.tables", "publish.before.captures", "publish.after.runs", "publish.after.catalog", "publish.before.mark",
    "erase.after.commit", "erase.before.snapshots.captures", "erase.before.snapshots.sightings", "erase.before.files",
    "erase.after.files.articles", "known.before.mark", "erase.before.memory", "erase.before.frontier", "erase.between.urls",
    "erase.before.vacuum", "erase.before.end",
]  # fmt: skip
ROUNDS = 7
KILLS = [STEPS[first::ROUNDS] for first in range(ROUNDS)]  # of one erasure after the other: far from each other, each in what the last left

COMMAND = ["erase", GONE, "--pattern", ENTRIES[1], "--reason", "a letter", "--who", "eve", "--yes", "--grace", "1"]


@contextmanager
def reader(settings: Settings) -> Iterator[None]:
    """Queries all the time: never an error, and always the same rows of pages that are not erased."""
    stop, seen, failed = threading.Event(), set[tuple[Any, ...]](), list[BaseException]()
    sql = "SELECT count(*), count(DISTINCT (warc_filename, warc_record_offset)), (SELECT count(*) FROM articles WHERE length(text) > 0) "
    sql += "FROM captures WHERE url LIKE '%/a/left' OR url LIKE '%/p/2'"

    def read() -> None:
        while not stop.wait(0.3):  # each takes as long
            try:
                seen.update(rows(settings, sql))
            except BaseException as error:
                failed.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert failed == []
    assert {(total, distinct) for total, distinct, _ in seen} == {(4, 4)}


def test_an_erasure_killed_at_every_step(lake_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = fill(lake_settings)
    saved = SavedHome(settings, tmp_path_factory.mktemp("saved") / "home")
    (undisturbed,) = erase(ENTRIES, "eve", "a letter", settings, grace_seconds=0)
    expected = state(settings, places=True)
    for steps in KILLS:
        saved.restore()
        with reader(settings):
            assert [(step, command_killed_at(step, settings, *COMMAND)) for step in steps] == [(step, -signal.SIGKILL) for step in steps]
        (receipt,) = erase(ENTRIES, "eve", "a letter", settings, grace_seconds=0)
        assert state(settings, places=True) == expected, steps
        assert (receipt.is_complete, receipt.entries) == (True, undisturbed.entries), steps
        assert left(settings, NEEDLES) == set(), steps
        assert pending_plans(open_store(settings)) == [], steps
        check_accounts(settings)
        with connect(settings) as lake:
            kinds = lake.sql("SELECT kind, count(*) FROM runs GROUP BY ALL ORDER BY ALL").fetchall()
        assert kinds == [("erase", 2), ("process", 2)], (steps, kinds)
