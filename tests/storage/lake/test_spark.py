"""Spark reads what is published, with its own catalog and its own reader: every value, and nothing that was erased, in no snapshot."""

from __future__ import annotations

import os
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from sqlalchemy import make_url

from processing import stages
from processing.erase.erasing import erase
from schemas.config.settings import Settings
from storage.lake.lake import open_lake
from storage.lake.query import connect
from tests.processing.erase.erasehome import ENTRIES, NEEDLES, fill

PYTHON, JARS = os.environ.get("CRAWLHOUSE_SPARK_PYTHON"), os.environ.get("CRAWLHOUSE_SPARK_JARS", "")
pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not PYTHON, reason="SPARK IS NOT TRIED: docs/readers.md says how to set CRAWLHOUSE_SPARK_PYTHON and _JARS"),
]


def read_by_spark(settings: Settings, out: Path) -> None:
    """Read the lake, whose store is a directory."""
    script, warehouse = Path(__file__).with_name("spark_reader.py"), str(settings.home / "store" / "lake")
    with catalog(settings) as uri:
        done = subprocess.run([str(PYTHON), str(script), uri, warehouse, JARS, str(out)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-5000:]


@contextmanager
def catalog(settings: Settings) -> Iterator[str]:
    """The JDBC URI of the catalog. PostgreSQL has a Unix socket here, and Java wants an address."""
    if not settings.database:
        yield f"jdbc:sqlite:{settings.home}/catalog.sqlite"
        return
    url = make_url(settings.database)
    with TcpDoor(f"{url.query['host']}/.s.PGSQL.{url.port or 5432}") as door:
        thread = threading.Thread(target=door.serve_forever)
        thread.start()
        yield f"jdbc:postgresql://127.0.0.1:{door.server_address[1]}/{url.database}?user={url.username}&sslmode=disable"
        door.shutdown()
        thread.join()


class TcpDoor(socketserver.ThreadingTCPServer):
    """A port of loopback that leads to a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passage)
        self.path = path


class _Passage(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, TcpDoor)
        with socket.socket(socket.AF_UNIX) as inside:
            inside.connect(self.server.path)
            answers = threading.Thread(target=_pass_on, args=(inside, self.request))
            answers.start()
            _pass_on(self.request, inside)
            answers.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def spark_rows(out: Path, name: str) -> list[str]:
    """The rows of a table as Spark wrote them, as texts in their order."""
    (path,) = (out / f"{name}.parquet").glob("*.parquet")
    return _texts(pq.read_table(path))


def _texts(table: pa.Table) -> list[str]:
    return sorted(repr({name: _plain(value) for name, value in sorted(row.items())}) for row in table.to_pylist())


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in sorted(value.items())}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def tables(settings: Settings) -> Iterator[tuple[str, list[str], list[int]]]:
    """The name, rows and snapshots of each table, by pyiceberg."""
    with open_lake(settings) as lake:
        for name, table in lake.tables().items():
            yield name, _texts(table.scan().to_arrow()), [snapshot.snapshot_id for snapshot in table.metadata.snapshots]


def test_spark_reads_every_table(settings: Settings, tmp_path: Path) -> None:
    settings, out = fill(settings), tmp_path / "out"
    assert stages.process_once("shop", settings) is not None
    erase(ENTRIES, "eve", "a letter", settings, grace_seconds=0)
    read_by_spark(settings, out)
    for name, rows, snapshots in tables(settings):
        assert spark_rows(out, name) == rows, name
        for snapshot in snapshots:
            assert [needle for needle in NEEDLES if any(needle in row.lower() for row in spark_rows(out, f"{name}@{snapshot}"))] == []
    with connect(settings) as duckdb:
        for name in ("articles", "captures", "products", "quarantine", "runs", "sightings"):
            assert duckdb.sql(f"SELECT count(*) FROM {name}").fetchall() == [(len(spark_rows(out, name)),)], name
    assert spark_rows(out, "published") == spark_rows(out, "articles")
    (path,) = (out / "texts.parquet").glob("*.parquet")
    with connect(settings) as lake:
        expected = lake.sql("SELECT url, list_transform(blocks, lambda b: b.text) AS texts FROM articles ORDER BY ALL").fetchall()
    by_spark = pq.read_table(path)
    assert sorted((row["url"], row["texts"]) for row in by_spark.to_pylist()) == sorted((url, texts) for url, texts in expected)
    assert pc.count(by_spark["url"]).as_py() > 0
