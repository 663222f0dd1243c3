"""Searches every byte of a home and its store for texts: gzip members, Parquet, Avro and SQLite decoded, everything else as it is."""

from __future__ import annotations

import io
import re
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.config.settings import Settings
from storage.objects.open import open_store


def places(settings: Settings, needles: Iterable[str]) -> dict[str, list[str]]:
    """In which files and objects each text is, whatever its case."""
    wanted = {needle: needle.lower().encode() for needle in needles}
    found: dict[str, list[str]] = {needle: [] for needle in wanted}
    for name, data in _everything(settings):
        text = b"\n".join(_decoded(data)).lower()
        for needle, encoded in wanted.items():
            if encoded in text:
                found[needle].append(name)
    return found


def left(settings: Settings, needles: Iterable[str]) -> set[tuple[str, str]]:
    """The texts that are left, and where, but for the takedown list, which names the pages, and the receipts, which have their digests."""
    found = places(settings, needles)
    return {
        (needle, name)
        for needle, names in found.items()
        for name in names
        if name != "store/takedown.txt" and not (name.startswith("store/erasures/e-") and re.fullmatch("[0-9a-f]{32}", needle))
    }


def _everything(settings: Settings) -> Iterator[tuple[str, bytes]]:
    for path in sorted(settings.home.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(settings.home)), path.read_bytes()
    if settings.store:
        store = open_store(settings)
        for info in store.list(""):
            yield f"store/{info.key}", store.get_bytes(info.key)


def _decoded(data: bytes) -> Iterator[bytes]:
    yield data
    if data.startswith(b"\x1f\x8b"):
        yield _gzip(data)
    elif data.startswith(b"PAR1"):
        table = pq.read_table(pa.BufferReader(data))
        yield repr(table.to_pylist()).encode("utf-8", "replace")
        yield repr(pq.read_metadata(pa.BufferReader(data)).to_dict()).encode("utf-8", "replace")
    elif data.startswith(b"Obj\x01"):
        yield repr(list(fastavro.reader(io.BytesIO(data)))).encode("utf-8", "replace")
    elif data.startswith(b"SQLite format 3"):
        yield from _sqlite(data)


def _gzip(data: bytes) -> bytes:
    out = b""
    while data:
        member = zlib.decompressobj(31)
        out += member.decompress(data)
        assert member.eof
        data = member.unused_data
    return out


def _sqlite(data: bytes) -> Iterator[bytes]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(data.replace(b"\x02\x02", b"\x01\x01", 1) if data[18:20] == b"\x02\x02" else data)
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            yield repr(connection.execute(f'SELECT * FROM "{table}"').fetchall()).encode("utf-8", "replace")
