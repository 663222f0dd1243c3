"""Unpacks the homes of earlier versions that are stored in `tests/data`; `tests/data/make_home.py` made them."""

from __future__ import annotations

import re
import sqlite3
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from pyiceberg.catalog.sql import SqlCatalogBaseTable
from sqlalchemy import Boolean, Connection, MetaData, create_engine, insert

from schemas.config.settings import Settings, make_settings

DATA = Path(__file__).parent / "data"
PROXY_PASSWORD = "kept-proxy-password"
SYNC_BYTES = 16


def unpack_home(version: int, folder: Path, root: Path = DATA) -> Settings:
    """Unpack the home of a version below a folder; returns its settings.

    A lake names its files by absolute paths, and in Avro files the length of a path comes before it. So the home gets a path of the same
    length as the one where it was made, and the old path is replaced everywhere.
    """
    with tarfile.open(root / f"home_version_{version}.tar.gz") as archive:
        old = re.search(rb"/tmp/crawlhouse-kept-home-x+", archive.extractfile("home/catalog.sqlite").read())  # type: ignore[union-attr]
        assert old is not None
        place = folder / ("k" * (len(old[0]) - len(str(folder)) - 1))
        place.mkdir(parents=True)
        archive.extractall(place, filter="data")
    _move(place, old[0], str(place).encode())
    return make_settings(home=place / "home").model_copy(update={"crawls": place / "crawls"})


def load_into_postgres(version: int, settings: Settings, url: str) -> Settings:
    """Create the tables of a version in an empty PostgreSQL database and copy the rows of an unpacked home; returns the new settings."""
    moved = make_settings(home=settings.home, database=url).model_copy(update={"crawls": settings.crawls})
    engine = create_engine(moved.database_url("frontier"))
    SqlCatalogBaseTable.metadata.create_all(engine)
    with engine.begin() as connection:
        for statement in (DATA / f"home_version_{version}.sql").read_text(encoding="utf-8").splitlines():
            connection.exec_driver_sql(statement)
        for name in ("frontier", "catalog"):
            _copy_rows(settings.database_file(name), connection)
    engine.dispose()
    for name in ("frontier", "catalog"):
        settings.database_file(name).unlink()
    return moved


def _copy_rows(file: Path, connection: Connection) -> None:
    tables = MetaData()
    tables.reflect(connection)
    with closing(sqlite3.connect(file)) as source:
        source.row_factory = sqlite3.Row
        names = {row["name"] for row in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in [table for table in tables.sorted_tables if table.name in names]:
            flags = [column.name for column in table.columns if isinstance(column.type, Boolean)]
            rows = [dict(row) for row in source.execute(f"SELECT * FROM {table.name}")]
            if rows:
                connection.execute(insert(table), [row | {flag: bool(row[flag]) for flag in flags} for row in rows])
            for key in [column.name for column in table.primary_key.columns if column.server_default is not None]:  # numbered by a sequence
                connection.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('{table.name}', '{key}'), max({key})) FROM {table.name}")


def _move(place: Path, old: bytes, new: bytes) -> None:
    assert len(old) == len(new)
    for path in place.rglob("*.metadata.json"):
        path.write_bytes(path.read_bytes().replace(old, new))
    for path in place.rglob("*.avro"):
        path.write_bytes(_moved_avro(path.read_bytes(), old, new))
    with closing(sqlite3.connect(place / "home" / "catalog.sqlite")) as catalog, catalog:
        for column in ("metadata_location", "previous_metadata_location"):
            catalog.execute(f"UPDATE iceberg_tables SET {column} = replace({column}, ?, ?)", (old.decode(), new.decode()))


def _moved_avro(data: bytes, old: bytes, new: bytes) -> bytes:
    """An Avro file with a path replaced by one of the same length: in its header, and in its deflated blocks."""
    end = _header_end(data)
    sync, moved, position = data[end - SYNC_BYTES : end], bytearray(data[:end].replace(old, new)), end
    while position < len(data):
        count, position = _read_long(data, position)
        size, position = _read_long(data, position)
        block = zlib.decompress(data[position : position + size], -15).replace(old, new)
        squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = squeeze.compress(block) + squeeze.flush()
        moved += b"".join(_long(count)) + b"".join(_long(len(packed))) + packed + sync
        position += size + SYNC_BYTES
    return bytes(moved)


def _header_end(data: bytes) -> int:
    """The end of the header's sync marker, after the magic bytes and the map of metadata."""
    position = 4
    while True:
        count, position = _read_long(data, position)
        if count == 0:
            return position + SYNC_BYTES
        for _ in range(2 * count):
            length, position = _read_long(data, position)
            position += length


def _read_long(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if not byte & 0x80:
            return (value >> 1) ^ -(value & 1), position


def _long(value: int) -> Iterator[bytes]:
    value <<= 1
    while value > 0x7F:
        yield bytes([value & 0x7F | 0x80])
        value >>= 7
    yield bytes([value])
