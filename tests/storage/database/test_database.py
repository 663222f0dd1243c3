"""Databases as files and servers: who may open them, what their errors mean, consistent reads, and the locks of a frozen process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from multiprocessing.synchronize import Event

import pytest
from sqlalchemy import select, update

from schemas.config.settings import Settings
from schemas.errors import StorageError, UnavailableError
from storage.database import engine as database
from storage.database.engine import open_database
from storage.database.locks import hold_lock
from storage.database.version_table import SCHEMA
from storage.lake.lake import open_lake
from tests.forks import fork_context

TOUCH = update(SCHEMA).values(version=SCHEMA.c.version)


def test_a_read_transaction_sees_one_state(settings: Settings) -> None:
    reader, writer = (open_database(settings.database_url("frontier")) for _ in range(2))
    with reader.read() as connection:
        before = connection.scalar(select(SCHEMA.c.version))
        with writer.write() as other:
            other.execute(update(SCHEMA).values(version=SCHEMA.c.version + 1))
        assert connection.scalar(select(SCHEMA.c.version)) == before
    with reader.read() as connection:
        assert connection.scalar(select(SCHEMA.c.version)) == before + 1
    for used in (reader, writer):
        used.close()


def _hold_a_row(url: str, holding: Event) -> None:
    database.IDLE_SECONDS = 1
    with open_database(url).write() as connection:
        connection.execute(TOUCH)
        holding.set()
        time.sleep(120)


def test_the_locks_of_a_frozen_process_end(sqlite_settings: Settings, postgres_url: str) -> None:
    url = sqlite_settings.model_copy(update={"database": postgres_url}).database_url("frontier")
    other = open_database(url)
    context = fork_context()
    holding = context.Event()
    frozen = context.Process(target=_hold_a_row, args=(url, holding))
    frozen.start()
    assert holding.wait(60)
    assert frozen.pid is not None
    os.kill(frozen.pid, signal.SIGSTOP)
    began = time.monotonic()
    with other.write() as connection:
        connection.execute(TOUCH)
    assert time.monotonic() - began < 30
    assert frozen.is_alive()
    frozen.kill()
    frozen.join()
    other.close()


def test_a_sqlite_file_that_another_process_holds_is_named(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SQLITE_BUSY_SECONDS", 0.2)
    url = sqlite_settings.database_url("frontier")
    holder, other = open_database(url), open_database(url)
    with (
        holder.write(),
        pytest.raises(UnavailableError, match=r"frontier.sqlite has been held by another process .*Wait for that process or end it"),
        other.write(),
    ):
        pass
    for used in (holder, other):
        used.close()


def test_a_database_is_private_whatever_the_umask(sqlite_settings: Settings) -> None:
    before = os.umask(0)
    try:
        used = open_database(sqlite_settings.database_url("frontier"), pooled=True)
        with used.write() as connection, hold_lock(sqlite_settings, 1, 1, "testing"), open_lake(sqlite_settings):
            connection.execute(TOUCH)
            modes = {path.name: path.stat().st_mode & 0o777 for path in sqlite_settings.home.iterdir()}
        used.close()
    finally:
        os.umask(before)
    assert set(modes) == {"frontier.sqlite", "frontier.sqlite-wal", "frontier.sqlite-shm", "frontier.sqlite.1.lock", "catalog.sqlite"}
    assert set(modes.values()) == {0o600}
    assert sqlite_settings.home.stat().st_mode & 0o777 == 0o700


FILL = """
import resource, sys
from schemas.config.settings import make_settings
from storage.lake.lake import open_lake
from storage.ledger.ledger import open_ledger
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    {"ledger": open_ledger, "lake": open_lake}[sys.argv[2]](make_settings(home=sys.argv[1]))
except Exception as error:
    print(getattr(error, "exit_code", 1), error)
"""


@pytest.mark.parametrize(("opened", "size"), [("ledger", 4096), ("lake", 4096)])
def test_a_full_disk_is_not_reported_as_a_server_that_is_down(sqlite_settings: Settings, opened: str, size: int) -> None:
    command = [sys.executable, "-c", FILL, str(sqlite_settings.home), opened, str(size)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.startswith("5 The "), said
    assert "disk I/O error" in said
    assert "Free some space" in said
    assert "does not answer" not in said


def test_a_file_that_cannot_be_opened_or_is_no_database_is_named(sqlite_settings: Settings) -> None:
    file = sqlite_settings.database_file("frontier")
    file.mkdir(parents=True)
    with pytest.raises(StorageError, match=r"frontier.sqlite cannot be read or written: unable to open database file"):
        open_database(sqlite_settings.database_url("frontier"))
    file.rmdir()
    file.write_bytes(b"no database" * 100)
    with pytest.raises(StorageError, match=r"frontier.sqlite is damaged"):
        open_database(sqlite_settings.database_url("frontier"))
