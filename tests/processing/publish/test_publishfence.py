"""Publishers that lost the lock, and tables that another program changed. No row is there twice and none is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from processing import stages
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from storage.lake.lake import open_lake
from storage.lake.maintenance import maintain
from tests import PROJECT
from tests.processing.crawlruns import article, closed_run
from tests.processing.publish.test_publish import NEWS, PAGES, WIRE, gated_run, stored, tables
from tests.storage.lakerows import table_of

PUBLISH = """
import sys, time
from pathlib import Path
import storage.lake.lake
from processing import stages
from schemas.config.settings import load_settings

stage, folder = storage.lake.lake.Lake.stage, Path(sys.argv[2])

def slow(lake, table, *arguments):
    if table.name()[-1] == "quarantine" and not (folder / "go").exists():
        (folder / "waiting").touch()
        while not (folder / "go").exists():
            time.sleep(0.05)
    return stage(lake, table, *arguments)

storage.lake.lake.Lake.stage = slow
print(stages.publish(sys.argv[1], load_settings()).equation())
"""
WAIT_SECONDS = 120
COPIES = [article("https://wire.example.org/copy", 1, minutes=-5), article("https://wire.example.org/own", 9)]
TIMES = Crawl.model_validate({"name": "times", "seeds": ["https://times.example.net/"]})


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    database = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    return Settings(home=tmp_path / "home", crawls=tmp_path / "crawls", database=database)


class Publisher:
    """A publisher in a process of its own that waits for a sign while it holds the lock, before it stages `quarantine`."""

    def __init__(self, process_run: str, settings: Settings, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        given = {"HOME": str(settings.home), "CRAWLS": str(settings.crawls), "DATABASE": settings.database}
        environment = os.environ | {f"CRAWLHOUSE_{name}": value for name, value in given.items()}
        command = [sys.executable, "-c", PUBLISH, process_run, str(folder)]
        self._process = subprocess.Popen(
            command, env=environment, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def is_writing(self) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not (self._folder / "waiting").exists():
            assert self._process.poll() is None, self._process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def go_on(self) -> None:
        (self._folder / "go").touch()

    def end(self) -> tuple[int, str]:
        """Exit status and all that was written."""
        output, errors = self._process.communicate(timeout=WAIT_SECONDS)
        return self._process.returncode, output + errors


def take_the_lock_away(settings: Settings) -> None:
    """End all sessions of the database, as a restart does, or remove the locked file, as a program that cleans up does."""
    if not settings.database:
        (settings.home / "frontier.sqlite.publish.lock").unlink()
        return
    engine = create_engine(settings.database_url("frontier"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        assert connection.execute(text(others)).fetchall()
    engine.dispose()


def check(settings: Settings, captures: int, articles: int, quarantine: int, runs: int) -> None:
    """Every row is there once, and readers see all of them."""
    rows = stored(settings)
    expected = {"captures": captures, "articles": articles, "quarantine": quarantine, "sightings": 0, "runs": runs}
    assert {name: len(found) for name, found in rows.items()} == expected
    assert {name: len(set(found)) for name, found in rows.items()} == expected
    assert {name: len(found) for name, found in tables(settings).items()} == expected


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_a_publisher_that_lost_its_lock_commits_nothing(home: Settings, tmp_path: Path) -> None:
    closed_run(home, NEWS, "1", PAGES)
    closed_run(home, WIRE, "2", COPIES)
    news, wire = gated_run(home, NEWS), gated_run(home, WIRE)

    first = Publisher(news, home, tmp_path / "first")
    first.is_writing()
    take_the_lock_away(home)
    report = stages.publish(news, home)  # another publisher of the same run
    first.go_on()
    status, output = first.end()
    assert (status, "FencedError: Another process took the publish lock" in output) == (1, True), output
    check(home, captures=3, articles=2, quarantine=1, runs=1)
    assert stages.publish(news, home) == report

    second = Publisher(wire, home, tmp_path / "second")
    second.is_writing()
    take_the_lock_away(home)
    closed_run(home, TIMES, "3", [article("https://times.example.net/own", 9, minutes=-9)])
    stages.process_once("times", home)  # a publisher of another crawl
    maintain(home)
    second.go_on()
    status, output = second.end()
    assert (status, "FencedError: Another process took the publish lock" in output) == (1, True), output
    check(home, captures=4, articles=3, quarantine=1, runs=2)
    report = stages.publish(wire, home)
    assert (report.published, report.duplicate) == (0, 2), "decided again: the other crawl has published the original meanwhile"
    check(home, captures=6, articles=5, quarantine=1, runs=3)


@pytest.mark.servers_in_chaos
@pytest.mark.timeout(600)
def test_a_table_that_another_program_changed_is_checked_again(home: Settings, tmp_path: Path) -> None:
    """The other program knows nothing of locks, like Spark. That nobody took the lost lock does no harm."""
    closed_run(home, NEWS, "1", [PAGES[2]])
    publisher = Publisher(gated_run(home, NEWS), home, tmp_path / "publisher")
    publisher.is_writing()
    take_the_lock_away(home)
    foreign = {"process_run": "foreign", "url": "https://foreign.example/"}
    with open_lake(home) as lake:
        lake.append("articles", [table_of("articles", foreign)], "foreign")
        lake.append("runs", [table_of("runs", foreign)], "foreign")
    publisher.go_on()
    status, output = publisher.end()
    assert status == 0, output
    check(home, captures=1, articles=1, quarantine=1, runs=2)


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_two_crawls_publish_at_once(postgres_url: str, tmp_path: Path) -> None:
    home = Settings(home=tmp_path / "home", crawls=tmp_path / "crawls", database=postgres_url)
    closed_run(home, NEWS, "1", PAGES)
    closed_run(home, WIRE, "2", COPIES)
    publishers = [Publisher(gated_run(home, crawl), home, tmp_path / crawl.name) for crawl in (NEWS, WIRE)]
    for publisher in publishers:
        publisher.go_on()
    ends = [publisher.end() for publisher in publishers]
    assert [status for status, _ in ends] == [0, 0], ends
    check(home, captures=5, articles=4, quarantine=1, runs=2)
    assert "2 duplicate" not in "".join(output for _, output in ends)
    assert sum("1 duplicate" in output for _, output in ends) == 1, "the second was decided again, beside the first"
