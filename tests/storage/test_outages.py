"""Short outages of the store and the database are waited for where a step says so, and fail at once elsewhere."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from schemas.config.settings import Settings
from schemas.errors import DatabaseOutageError, OutageError, StoreOutageError, UnavailableError
from storage.database.engine import Database
from storage.lake import files, tables
from storage.lake.lake import open_lake
from storage.objects import s3
from storage.objects.open import open_store
from storage.outages import patience, store_outage, wait_out
from tests.storage.outage import Forwarder, database_behind, store_behind

SHORT = Settings(home=Path("/none"), crawls=Path("/none"), store_wait_seconds=1.5, database_wait_seconds=1.5)
PATIENT = SHORT.model_copy(update={"store_wait_seconds": 60.0, "database_wait_seconds": 60.0})


class Failing:
    """A call that fails some times."""

    def __init__(self, times: int, error: type[UnavailableError] = StoreOutageError) -> None:
        self.left, self.calls, self.error = times, 0, error

    def __call__(self) -> str:
        self.calls += 1
        if self.left:
            self.left -= 1
            raise self.error("The store does not answer.")
        return "done"


def test_an_outage_is_waited_for_with_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    with patience(SHORT):
        assert wait_out(Failing(2)) == "done"
    begin, end = (record.getMessage() for record in caplog.records)
    assert begin == "The store does not answer. Waiting for it, up to 2 s."
    assert end.startswith("The outage is over after ")


def test_a_long_outage_fails_and_is_not_waited_for_twice() -> None:
    inner, outer = Failing(1_000), 0

    def step() -> None:
        nonlocal outer
        outer += 1
        wait_out(inner)

    with patience(SHORT), pytest.raises(StoreOutageError):
        wait_out(step)
    assert inner.calls > 1
    assert outer == 1


def test_others_fail_at_once() -> None:
    impatient, mistake = Failing(1), Failing(1, UnavailableError)
    with pytest.raises(OutageError):
        wait_out(impatient)
    with patience(SHORT), pytest.raises(UnavailableError):
        wait_out(mistake)
    assert (impatient.calls, mistake.calls) == (1, 1)


def test_every_request_to_the_store_waits(s3_settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(s3, "MAX_ATTEMPTS", 1)  # else boto3's own retries would wait too
    with store_behind(s3_settings.s3_endpoint) as (server, url), patience(PATIENT):
        store = open_store(s3_settings.model_copy(update={"s3_endpoint": url}))
        store.put_bytes("a", b"one")
        for request in (
            lambda: store.get_bytes("a") == b"one",
            lambda: store.put_bytes("b", b"two"),
            lambda: {one.key for one in store.list("")} == {"a", "b"},
            lambda: store.info("c") is None,
            lambda: store.check() is None,
        ):
            server.cut(0.3)
            assert request()
    assert sum("The outage is over" in record.getMessage() for record in caplog.records) == 5


def test_an_outage_that_the_tables_files_meet_can_be_waited_for(s3_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrow reads and writes them by a client of its own, which raises an OSError."""
    with store_behind(s3_settings.s3_endpoint) as (server, url), open_lake(s3_settings.model_copy(update={"s3_endpoint": url})) as lake:
        rows = lake.table("runs").schema().as_arrow().empty_table()
        server.close()
        with pytest.raises(StoreOutageError, match="of the tables does not answer"):
            wait_out(lake.append, "runs", [rows], "run")
        monkeypatch.setattr(files, "_cache", files._Cache())  # as in a process that has read nothing yet
        monkeypatch.setattr(tables, "_known_metadata", {})
        with pytest.raises(StoreOutageError, match="of the tables does not answer"):
            wait_out(lake.snapshot_id, "runs")
        server.open()
        assert wait_out(lake.append, "runs", [rows], "run") == wait_out(lake.snapshot_id, "runs")
    assert store_outage(OSError("AWS Error ACCESS_DENIED during PutObject operation")) is None


def test_a_store_that_stays_away_fails(s3_settings: Settings) -> None:
    with store_behind(s3_settings.s3_endpoint) as (server, url), patience(SHORT):
        store = open_store(s3_settings.model_copy(update={"s3_endpoint": url}))
        server.close()
        with pytest.raises(StoreOutageError, match="does not answer"):
            store.get_bytes("a")


@pytest.fixture
def database(postgres_url: str) -> Iterator[tuple[Forwarder, Database]]:
    with tempfile.TemporaryDirectory(prefix="crawlhouse-outage-") as folder, database_behind(postgres_url, Path(folder)) as (server, url):
        database = Database(url.replace("postgresql://", "postgresql+psycopg://"), pooled=True)
        yield server, database
        database.close()


def test_a_transaction_waits_for_the_server_and_one_that_broke_off_is_repeated(database: tuple[Forwarder, Database]) -> None:
    server, connections = database
    answers: list[int] = []

    def transaction() -> int:
        with connections.write() as connection:
            answers.append(int(connection.execute(text("SELECT 1")).scalar_one()))
            if len(answers) == 1:
                server.cut(1.0)
            return int(connection.execute(text("SELECT 2")).scalar_one())

    with patience(PATIENT):
        assert wait_out(transaction) == 2
        assert answers == [1, 1]
        server.cut(1.0)
        with connections.read() as connection:
            assert connection.execute(text("SELECT 3")).scalar_one() == 3
    server.close()
    with pytest.raises(DatabaseOutageError):
        wait_out(transaction)


def test_a_wrong_database_is_not_waited_for(postgres_url: str) -> None:
    wrong = Database(postgres_url.replace("postgresql://", "postgresql+psycopg://").replace("/test_", "/no_such_"))
    with patience(PATIENT), pytest.raises(UnavailableError, match="does not exist") as raised, wrong.read():
        pass
    assert not isinstance(raised.value, OutageError)
