"""`crawlhouse adopt`, killed at every step and run again: what was adopted and published is the same as without a kill."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from processing.stages import process_once
from schemas.config.settings import Settings
from schemas.manifest import Manifest
from storage.lake.query import connect
from storage.ledger.ledger import open_ledger
from tests.spiders.adoption.foreign import write_warc

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600), pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]

STEPS = ["before-adopt", "after-adopt", "before-adopt:2", "after-adopt:3"]


def _adopt(settings: Settings, files: list[Path], step: str = "") -> int:
    given = {
        "HOME": settings.home, "CRAWLS": settings.crawls, "STORE": settings.store, "DATABASE": settings.database,
        "S3_ENDPOINT": settings.s3_endpoint, "FAILPOINT": step,
    }  # fmt: skip
    environment = os.environ | {f"CRAWLHOUSE_{name}": str(value) for name, value in given.items() if value}
    command = ["crawlhouse", "adopt", "--crawl", "old", *map(str, files)]
    return subprocess.run(command, env=environment, check=False).returncode


def _manifest(settings: Settings) -> Manifest:
    ledger = open_ledger(settings)
    (run,) = ledger.crawl_runs("old")
    manifest = ledger.manifest(run.crawl_run)
    ledger.close()
    return manifest


def _rows(settings: Settings) -> list[tuple[object, ...]]:
    with connect(settings) as lake:
        return lake.sql("SELECT url, outcome, reason, record_type FROM captures ORDER BY ALL").fetchall()


def test_a_killed_adoption_is_completed_and_doubles_nothing(lake_settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text("seeds: [https://news.example/]\n")
    files = [write_warc(tmp_path / f"{number}.warc.gz", range(3 * number, 3 * number + 3), revisit=number == 1) for number in range(3)]
    undisturbed, killed = Settings(home=tmp_path / "undisturbed", crawls=tmp_path), lake_settings
    assert _adopt(undisturbed, files) == 0
    for step in STEPS:
        assert _adopt(killed, files, step) in {-signal.SIGKILL, 0}
    assert _adopt(killed, files) == 0
    assert _adopt(killed, files) == 0

    first, second = _manifest(undisturbed), _manifest(killed)
    assert (first.counts, [one.segment for one in first.segments]) == (second.counts, [one.segment for one in second.segments])
    for settings in (undisturbed, killed):
        assert process_once("old", settings) is not None
    assert _rows(undisturbed) == _rows(killed)
