"""Removes rows that a crawl keeps no longer: those that were fetched longer ago than its `retention` says.

The last version of a row stays as long as its key is seen: it is what the page says today, and later visits are compared with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.expressions import And, BooleanExpression, EqualTo, GreaterThanOrEqual, LessThan
from pyiceberg.table import FileScanTask, Table

from runtime.failpoint import reached
from schemas.config.crawl import ARCHIVE, Crawl
from schemas.config.crawl_file import read_crawls
from schemas.config.settings import Settings
from schemas.errors import LakeMovedError
from schemas.tables import TIMESTAMP
from storage.lake.commit import commit
from storage.lake.lake import Lake
from storage.lake.latest import KEYS, ROW_KEY
from storage.lake.removal import read_file, replace_file
from storage.lake.staged_metadata import Staged, StagedTransaction, stage
from storage.lake.upkeep.replaced import note_replaced
from storage.ledger.ledger import Ledger

QUARANTINE = "quarantine"  # the one table of retention whose rows have no versions
EXPIRED = "crawlhouse.expired"  # property of a table from which rows were removed so: originals of duplicates may be among them
MAX_CONFLICTS = 5  # with other writers; the next maintenance continues


@dataclass(frozen=True, slots=True)
class Expiry:
    """The rows of a crawl in a table that were fetched before a time."""

    crawl: str
    table: str
    before: datetime


def crawls_of(settings: Settings) -> list[Crawl]:
    """The crawls whose files can be read. What a broken file would remove stays until it is mended."""
    return list(read_crawls(settings.crawls)[0].values()) if settings.crawls.is_dir() else []


def expiries(crawls: Iterable[Crawl], now: datetime) -> Iterator[Expiry]:
    """What the crawls keep no longer, by table."""
    for crawl in crawls:
        for table, days in sorted(crawl.retention.items()):
            if table != ARCHIVE:
                yield Expiry(crawl.name, table, now - timedelta(days=days))


def archive_expiries(crawls: Iterable[Crawl], now: datetime) -> Iterator[Expiry]:
    """Of which crawls segments are removed, and before which time."""
    for crawl in crawls:
        if ARCHIVE in crawl.retention:
            yield Expiry(crawl.name, ARCHIVE, now - timedelta(days=crawl.retention[ARCHIVE]))


def count_expired(lake: Lake, expiry: Expiry) -> int:
    """How many rows `remove_expired` would remove. Raises UnavailableError, StorageError."""
    table = lake.tables().get(expiry.table)
    if table is None:
        return 0
    lasting = _lasting(lake, table, expiry)
    return sum(rows for _, rows in _expired_files(table, expiry, lasting))


def remove_expired(lake: Lake, ledger: Ledger, expiry: Expiry) -> int:
    """Remove the rows; returns how many. Each file is written again without them in a commit of its own, so it may be interrupted anywhere.

    Snapshots that have them expire by their own age. Raises UnavailableError, StorageError, ConflictError.
    """
    removed = conflicts = 0
    table = lake.tables().get(expiry.table)
    if table is None:
        return 0
    lasting = _lasting(lake, table, expiry)
    while conflicts < MAX_CONFLICTS:
        with ledger.publish_lock() as token:
            table = lake.table(expiry.table)
            found = next(_expired_files(table, expiry, lasting), None)
            if found is None:
                break
            task, rows = found
            try:
                reached("retention.before.commit")
                commit(lake, ledger, token, [_without(table, task, expiry, lasting)])
                removed += rows
            except LakeMovedError:
                conflicts += 1
    return removed


def _key_of(table: Table) -> str:
    return KEYS.get(str(table.name()[-1]), ROW_KEY)


def _columns(table: Table) -> tuple[str, ...]:
    return ("crawl", "fetched_at") if table.name()[-1] == QUARANTINE else ("crawl", "fetched_at", _key_of(table), "version")


def _before(expiry: Expiry) -> BooleanExpression:
    old = LessThan("fetched_at", expiry.before.isoformat())  # type: ignore[call-arg]
    return And(old, EqualTo("crawl", expiry.crawl))  # type: ignore[call-arg]


def _lasting(lake: Lake, table: Table, expiry: Expiry) -> pa.Table:
    """The rows that stay though they are old: of each key that was seen since, the last version, unless there is a newer one."""
    schema = pa.schema([pa.field("key", pa.string()), pa.field("fetched_at", TIMESTAMP), pa.field("version", pa.int32())])
    name, key = str(table.name()[-1]), _key_of(table)
    if name == QUARANTINE:
        return schema.empty_table()
    old = _collected(lake.scan(name, [key, "fetched_at", "version"], _before(expiry)), schema)
    if not old.num_rows:
        return old
    recent = GreaterThanOrEqual("fetched_at", expiry.before.isoformat())  # type: ignore[call-arg]
    newer = _keys_among(lake.scan(name, [key], recent), old["key"])
    since = GreaterThanOrEqual("seen_at", expiry.before.isoformat())  # type: ignore[call-arg]
    where = And(since, EqualTo("dataset", name))  # type: ignore[call-arg]
    seen = _keys_among(lake.scan("sightings", [ROW_KEY], where), old["key"])
    stays = pc.and_(pc.is_in(old["key"], value_set=seen), pc.invert(pc.is_in(old["key"], value_set=newer)))
    candidates = old.filter(stays).sort_by([("key", "ascending"), ("fetched_at", "descending"), ("version", "descending")])
    return (
        candidates.group_by("key", use_threads=False)
        .aggregate([("fetched_at", "first"), ("version", "first")])
        .rename_columns({"fetched_at_first": "fetched_at", "version_first": "version"})
    )


def _collected(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    parts = [pa.Table.from_batches([batch]).rename_columns(schema.names).cast(schema) for batch in batches]
    return pa.concat_tables([schema.empty_table(), *parts])


def _keys_among(batches: Iterable[pa.RecordBatch], wanted: pa.ChunkedArray) -> pa.Array:
    """The keys of the batches that are wanted, each once."""
    values = pc.unique(wanted)
    keys = (pc.unique(batch.column(0).cast(pa.string())) for batch in batches)
    found = [some.filter(pc.is_in(some, value_set=values)) for some in keys]
    return pc.unique(pa.concat_arrays(found)) if found else pa.array([], pa.string())


def _expired_files(table: Table, expiry: Expiry, lasting: pa.Table) -> Iterator[tuple[FileScanTask, int]]:
    """The files that have rows to remove, and how many."""
    for task in sorted(table.scan(row_filter=_before(expiry)).plan_files(), key=lambda task: task.file.file_path):
        rows = read_file(table, task, _columns(table))
        stays = _stays(rows, expiry, lasting, _key_of(table)) if rows.num_rows else None
        if stays is not None and (expired := len(stays) - (pc.sum(stays).as_py() or 0)):
            yield task, expired


def _stays(rows: pa.Table, expiry: Expiry, lasting: pa.Table, key: str) -> pa.ChunkedArray:
    """Which rows are not removed."""
    before = pa.scalar(expiry.before, TIMESTAMP)
    is_expired = pc.and_(pc.equal(rows["crawl"], expiry.crawl), pc.less(rows["fetched_at"], before))
    if key in rows.schema.names and lasting.num_rows:
        places = pc.index_in(rows[key].cast(pa.string()), value_set=lasting["key"])
        same_time = pc.equal(rows["fetched_at"], lasting["fetched_at"].take(places))
        is_last = pc.and_(same_time, pc.equal(rows["version"], lasting["version"].take(places)))
        is_expired = pc.and_(is_expired, pc.invert(pc.fill_null(is_last, False)))
    return pc.invert(is_expired)


def _without(table: Table, task: FileScanTask, expiry: Expiry, lasting: pa.Table) -> Staged:
    """The table with a file of the rows that stay in place of a file."""
    transaction = StagedTransaction(table)
    if EXPIRED not in table.properties:
        transaction.set_properties({EXPIRED: "true"})
    with transaction.update_snapshot().overwrite() as snapshot:
        replace_file(snapshot, table, task, lambda rows: _stays(rows, expiry, lasting, _key_of(table)))
    note_replaced(table, [task.file.file_path])
    return stage(transaction)
