"""A crawl run that is decided on in several portions leaves the tables that it leaves in one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from processing import stages
from processing.publish import touched
from processing.resolve.portions import deciding
from schemas.capture import Capture
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.outcomes import Outcome
from storage.lake.lake import open_lake
from tests import PROJECT
from tests.processing.crawlruns import article, capture, closed_run, html, prose
from tests.processing.lakeaccounts import check_accounts

SITES = [f"https://{name}.example" for name in ("a", "b", "c", "d")]
CRAWL = Crawl.model_validate({"name": "news", "seeds": [SITES[0] + "/"]})
# of the process run and of the WARC files, whose records have random ids
OF_ITS_OWN = {"process_run", "ingested_at", "sequence", "warc_record_offset", "warc_record_length", "bytes"}
RECORDS = 32
KILLED = """
import sys
from processing import stages
from processing.resolve.portions import deciding
from schemas.config.settings import load_settings
deciding.PORTION_RECORDS = int(sys.argv[2])
stages.resolve(sys.argv[1], load_settings())
"""


def near(url: str, seed: int, minutes: int) -> Capture:
    """A page with nearly the text of another one."""
    return capture(url, html(f"Near {seed}", [*prose(seed), "One more sentence here."]), minutes)


def histories(settings: Settings) -> list[Capture]:
    """Two crawl runs with copies, near copies, twins, changed, missing and broken pages over several sites; those of the second."""
    first = [article(f"{site}/{number}", 10 * place + number, number) for place, site in enumerate(SITES) for number in range(5)]
    first += [article(f"{site}/copy", 1, 30) for site in SITES[1:]] + [near(f"{site}/near", 11, 31) for site in SITES[:3]]
    first += [
        article(f"{SITES[0]}/2?from=feed", 2, 32, canonical=f"{SITES[0]}/2"),
        capture(f"{SITES[1]}/2026/03/short-notice", html("Short notice", [prose(9)[0][:120]]), 33),
    ]
    first += [article(f"{SITES[2]}/1", 21, 34), article(f"{SITES[2]}/1", 77, 35), capture(f"{SITES[3]}/no", "x", 36, status=404)]
    rows = closed_run(settings, CRAWL, "1", first[:16], first[16:])
    second = [article(f"{site}/{number}", 10 * place + number + number % 2, 60 + number) for place, site in enumerate(SITES)
              for number in range(4)]  # fmt: skip
    second += [article(f"{SITES[1]}/2?from=feed", 12, 70, canonical=f"{SITES[1]}/2"), capture(f"{SITES[3]}/4", "x", 71, status=410)]
    second += [near(f"{SITES[3]}/late", 21, 72), article(f"{SITES[3]}/copied", 3, 73), article(f"{SITES[0]}/1", 1, 74)]
    again = {row.url: row for row in rows if row.url == f"{SITES[2]}/4"}
    closed_run(settings, CRAWL, "2", second[:9], [*second[9:], article(f"{SITES[2]}/4", 24, 75)], refers_to=again)
    return second


def tables(settings: Settings) -> dict[str, list[str]]:
    """All rows but for what differs from home to home."""
    found: dict[str, list[str]] = {}
    with open_lake(settings) as lake:
        for name in ("articles", "captures", "quarantine", "sightings", "runs"):
            rows = (
                row for batch in lake.scan(name, [field.name for field in lake.table(name).schema().fields]) for row in batch.to_pylist()
            )
            kept = ({column: value for column, value in row.items() if column not in OF_ITS_OWN} for row in rows)
            found[name] = sorted(map(repr, kept))
    return found


def process_both(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Process the two crawl runs one after the other."""
    for _ in range(2):
        monkeypatch.setattr(stages, "MAX_RECORDS", 1)
        assert stages.process_once("news", settings) is not None
    check_accounts(settings)


@pytest.fixture
def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The tables of both crawl runs, each decided on as a whole."""
    settings = Settings(home=tmp_path / "whole", crawls=tmp_path)
    histories(settings)
    process_both(settings, monkeypatch)
    return tables(settings)


@pytest.mark.chaos
def test_portions_change_no_table(sqlite_settings: Settings, whole: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "PORTION_RECORDS", RECORDS // 6)
    monkeypatch.setattr(touched, "PART_RECORDS", RECORDS // 6)
    decided: list[int] = []
    reached = deciding.reached
    monkeypatch.setattr(deciding, "reached", lambda point: decided.append(1) or reached(point))
    histories(sqlite_settings)
    process_both(sqlite_settings, monkeypatch)
    assert len(decided) > 7
    for name, rows in tables(sqlite_settings).items():
        assert rows == whole[name], name
    for outcome in Outcome:
        assert any(f"'outcome': '{outcome}'" in row for row in whole["captures"]), outcome


@pytest.mark.chaos
def test_a_run_that_is_killed_between_portions_goes_on(
    sqlite_settings: Settings, whole: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deciding, "PORTION_RECORDS", RECORDS // 6)
    monkeypatch.setattr(stages, "MAX_RECORDS", 1)
    histories(sqlite_settings)
    environment = os.environ | {"CRAWLHOUSE_HOME": str(sqlite_settings.home), "CRAWLHOUSE_CRAWLS": str(sqlite_settings.crawls)}
    for _ in range(2):
        run = stages.plan("news", sqlite_settings)
        assert run is not None
        for segment in stages.segments(run.process_run, sqlite_settings):
            stages.extract(run.process_run, segment, sqlite_settings)
        for visit in (1, 4):
            point = {"CRAWLHOUSE_FAILPOINT": "resolve.portion" + (f":{visit}" if visit > 1 else "")}
            command = [sys.executable, "-c", KILLED, run.process_run, str(RECORDS // 6)]
            assert subprocess.run(command, env=environment | point, cwd=PROJECT, check=False).returncode == -signal.SIGKILL
        assert stages.process_once("news", sqlite_settings) is not None
    check_accounts(sqlite_settings)
    assert tables(sqlite_settings) == whole
