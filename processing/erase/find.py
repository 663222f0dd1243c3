"""Find what an erasure has to erase: records by the capture index, and rows of the lake by their URLs.

It reads narrow columns of the whole capture index and of the tables: an erasure is rare, and must miss nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from processing.clean.identity import page_url, url_id
from processing.erase.dirty import ARTICLES, DirtyRows
from processing.erase.plan import Plan
from processing.erase.scope import Scope
from processing.resources import Resources
from schemas.errors import StorageError
from schemas.keys import index_key_of
from schemas.tables import TABLES
from storage.ledger.unknown_segments import unknown_segments
from storage.objects.store import ObjectStore

_INDEX = ["url", "via", "fetch_redirect", "warc_record_offset", "warc_record_length"]
_PLACE = ["warc_filename", "warc_record_offset", "warc_record_length"]


def find(plan: Plan, scope: Scope, resources: Resources) -> bool:
    """Add to a plan what there is to erase now; whether there was anything that it did not have."""
    before = (sum(map(len, plan.records.values())), len(plan.mentions))
    for name in _segments(resources):
        _find_in_index(plan, scope, name, resources.store)
    _find_in_lake(plan, scope, resources)
    return before != (sum(map(len, plan.records.values())), len(plan.mentions))


def count_rows(plan: Plan, scope: Scope, resources: Resources) -> dict[str, int]:
    """How many rows of each table are to be erased now."""
    dirty = DirtyRows(plan, scope)
    counts: dict[str, int] = {}
    for name, table in resources.lake.tables().items():
        columns = dirty.columns(name, table.schema().column_names)
        batches = resources.lake.scan(name, columns)
        counts[name] = sum(pc.sum(dirty.rows(name, pa.Table.from_batches([batch]))).as_py() or 0 for batch in batches)
    return counts


def _segments(resources: Resources) -> Iterator[str]:
    """The WARC files of the archive: registered ones, and those that the database does not know."""
    for run in resources.ledger.crawl_runs():
        yield from (segment.warc_key for segment in resources.ledger.segments(run.crawl_run))
    yield from (info.key for info in unknown_segments(resources.ledger, resources.store))


def _find_in_index(plan: Plan, scope: Scope, name: str, store: ObjectStore) -> None:
    rows = _index(name, store)
    if rows is None:
        if store.info(name) is not None:  # without an index its records must be read
            plan.mentions.add(name)
        return
    is_erased = pc.or_(scope.covered(rows["url"]), scope.covered(rows["fetch_redirect"]))
    for row in rows.filter(is_erased).to_pylist():
        plan.add(name, row["warc_record_offset"], row["warc_record_length"], row["url"])
    if pc.any(scope.covered(rows["via"])).as_py():
        plan.mentions.add(name)


def _index(name: str, store: ObjectStore) -> pa.Table | None:
    try:
        return pq.read_table(pa.BufferReader(store.get_bytes(index_key_of(name))), columns=_INDEX)
    except (StorageError, IndexError):
        return None


def _find_in_lake(plan: Plan, scope: Scope, resources: Resources) -> None:
    """Rows whose page claims an erased URL as its own, and captures that have such an article."""
    for name, table in resources.lake.tables().items():
        if name in {"captures", "sightings", "runs"}:
            continue
        urls = ["url", "canonical_url"] if name in TABLES else ["url"]
        ids = ["article_id"] if name in TABLES else []
        stored = set(table.schema().column_names)
        for batch in resources.lake.scan(name, [one for one in (*urls, *ids, *_PLACE) if one in stored]):
            _add_rows(plan, scope, batch, urls)
        if name != "quarantine":
            _find_keys(plan, scope, name, resources)
    for batch in resources.lake.scan("captures", ["url", "article_id", *_PLACE]):
        chosen = pc.or_(
            scope.covered(batch["url"]),
            pc.fill_null(pc.is_in(batch["article_id"].cast(pa.string()), pa.array(sorted(plan.articles), pa.string())), False),
        )
        _add(plan, batch.filter(chosen))


def _find_keys(plan: Plan, scope: Scope, name: str, resources: Resources) -> None:
    """The keys that have no row any more without the erased ones."""
    key = "article_id" if name == ARTICLES else "row_id"
    dirty = DirtyRows(plan, scope)
    columns = [key, *dirty.columns(name, resources.lake.table(name).schema().column_names)]
    gone = set[str]()
    for batch in resources.lake.scan(name, columns):
        gone |= set(batch.filter(dirty.rows(name, pa.Table.from_batches([batch])))[key].to_pylist())
    for batch in resources.lake.scan(name, columns) if gone else ():
        stays = pc.invert(dirty.rows(name, pa.Table.from_batches([batch])))
        gone.difference_update(batch.filter(stays)[key].to_pylist())
    plan.rows.setdefault(name, set()).update(gone)


def _add_rows(plan: Plan, scope: Scope, batch: pa.RecordBatch, urls: Sequence[str]) -> None:
    chosen = scope.covered(batch["url"])
    for name in urls[1:]:
        chosen = pc.or_(chosen, scope.covered(batch[name]))
    rows = batch.filter(chosen)
    _add(plan, rows)
    for row in rows.to_pylist() if "article_id" in batch.schema.names else ():
        identities = {url_id(page_url(row[name])) for name in urls if scope.covers(row[name])}
        if row["article_id"] in identities:
            plan.articles.add(row["article_id"])


def _add(plan: Plan, rows: pa.RecordBatch) -> None:
    for row in rows.select(["url", *_PLACE]).to_pylist():
        if row["url"]:
            plan.add(row["warc_filename"], row["warc_record_offset"], row["warc_record_length"], row["url"])
