"""The capture index: one row per response, revisit or conversion record, as Parquet with the column names of Common Crawl's index.

The small Rust library arro3 writes and reads it: pyarrow would take a third of a fetch worker's memory.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

from arro3.core import Array, ChunkedArray, DataType, Table
from arro3.io import read_parquet, write_parquet

from schemas.index import CAPTURE_INDEX, TIMESTAMP
from schemas.page import Hints, WarcPointer
from schemas.web.ai_preferences import AiPreferences

WRITE_ROWS = 10_000  # a row group; a segment seldom has more
READ_ROWS = 1_000  # as Python objects at a time

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class CaptureRow:
    """A row of `schemas.index.CAPTURE_INDEX`, field by field. Times are aware, UTC."""

    url_surtkey: str
    url: str
    url_host_name: str
    url_host_registered_domain: str | None
    url_protocol: str | None
    url_port: int | None
    url_path: str | None
    url_query: str | None
    fetch_time: datetime
    fetch_status: int
    fetch_redirect: str | None
    content_digest: str
    content_mime_type: str | None
    content_mime_detected: str | None
    content_charset: str | None
    content_languages: str | None
    content_truncated: str | None
    warc_filename: str
    warc_record_offset: int
    warc_record_length: int
    record_type: str
    crawl: str
    crawl_run: str
    kind: str
    ip_address: str | None
    content_length: int | None
    latency_ms: int | None
    via: str | None
    depth: int | None
    hint_title: str | None
    hint_published_at: datetime | None
    hint_source: str | None
    refers_to_filename: str | None
    refers_to_offset: int | None
    request_method: str | None = None
    request_body: str | None = None
    content_usage: str | None = None
    content_signal: str | None = None

    def __reduce__(self) -> tuple[type[CaptureRow], tuple[Any, ...]]:  # Any: the type depends on the column
        """As a call with its values: pickled as a dataclass, a row takes several times as long, and each page has one."""
        return CaptureRow, _values_of(self)

    @property
    def is_erased(self) -> bool:
        """Whether the record was erased: what is left says where it was, and when it was fetched."""
        return not self.url and not self.content_digest

    @property
    def pointer(self) -> WarcPointer:
        """Where the record's bytes are."""
        return WarcPointer(self.warc_filename, self.warc_record_offset, self.warc_record_length, self.content_digest)

    @property
    def preferences(self) -> AiPreferences:
        """The AI preferences of headers and robots.txt."""
        return AiPreferences(self.content_usage, self.content_signal)

    @property
    def hints(self) -> Hints:
        """What a feed or a sitemap said about the page."""
        return Hints(self.hint_title, self.hint_published_at, self.hint_source)


_LEFT = frozenset({"fetch_time", "fetch_status", "warc_filename", "warc_record_offset", "warc_record_length", "crawl", "crawl_run"})
_NAMES = tuple(field.name for field in fields(CaptureRow))
_values_of = attrgetter(*_NAMES)


def erased_row(row: CaptureRow) -> CaptureRow:
    """The row of a record that was erased: the archive has as many records as before."""
    empty = {name: None if CAPTURE_INDEX.field(name).nullable else "" for name in _NAMES if name not in _LEFT}
    return replace(row, **{**empty, "record_type": "response", "kind": "page"})  # type: ignore[arg-type]


def write_index(rows: Iterable[CaptureRow]) -> bytes:
    """Rows as one Parquet file (zstd), in the given order."""
    given = list(rows)
    columns = [_column([getattr(row, name) for row in given], CAPTURE_INDEX.field(name).type) for name in _NAMES]
    out = io.BytesIO()
    write_parquet(Table.from_arrays(columns, schema=CAPTURE_INDEX), out, compression="zstd(1)", max_row_group_size=WRITE_ROWS)
    return out.getvalue()


def read_index(data: bytes) -> Iterator[CaptureRow]:
    """The rows of a Parquet file that `write_index` made. Columns that an earlier release did not write are None."""
    for batch in read_parquet(data, batch_size=READ_ROWS):
        absent = [None] * batch.num_rows
        names = frozenset(batch.schema.names)
        columns = [_values(batch.column(name)) if name in names else absent for name in _NAMES]
        for values in zip(*columns, strict=True):
            yield CaptureRow(*values)


def record_places(data: bytes) -> Iterator[tuple[int, int]]:
    """The offset and the length of each row's record, without the other columns."""
    for batch in read_parquet(data):
        yield from zip(batch.column("warc_record_offset").to_pylist(), batch.column("warc_record_length").to_pylist(), strict=True)


def _column(values: list[Any], kind: DataType) -> Array:  # Any: the type depends on the column
    if not DataType.is_timestamp(kind):
        return Array(values, type=kind)
    micros = [None if value is None else (value - _EPOCH) // _MICROSECOND for value in values]
    return Array(micros, type=DataType.int64()).cast(kind)


def _values(column: Array | ChunkedArray) -> list[Any]:
    if not DataType.is_timestamp(column.type):
        return column.to_pylist()
    micros = column.cast(TIMESTAMP).cast(DataType.int64()).to_pylist()
    return [None if value is None else _EPOCH + value * _MICROSECOND for value in micros]
