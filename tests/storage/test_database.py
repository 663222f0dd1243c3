"""What is read together is of one moment; the locks of a frozen process end on PostgreSQL; on SQLite others say what keeps them."""

from __future__ import annotations

import os
import signal
import time
from multiprocessing.synchronize import Event

import pytest
from sqlalchemy import select, update

from schemas.errors import UnavailableError
from schemas.settings import Settings
from storage import database
from storage.database import SCHEMA, open_database
from tests.forks import fork_context

TOUCH = update(SCHEMA).values(version=SCHEMA.c.version)


def test_what_is_read_together_is_of_one_moment(settings: Settings) -> None:
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
        pytest.raises(UnavailableError, match=r"frontier.sqlite has been held by another process .* go on or end it"),
        other.write(),
    ):
        pass
    for used in (holder, other):
        used.close()
