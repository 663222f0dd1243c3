"""Resolve: site memory, cleaning, versions and duplicates, host bucket by host bucket, then across the run and against the lake."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from processing.cards import COLUMNS, Card, Decision, Place, read_cards
from processing.cleaning import clean_blocks, cleaned_bucket, learn_bucket
from processing.decisions import decide
from processing.duplicates import NearIndex
from processing.extraction import ReadPage, read_page
from processing.lakeview import Version, look
from processing.sitememory import SiteMemory
from processing.staging import CLEANED, DECIDED, buckets_in, read_rows, staged_writer, write_rows
from processing.words import text_digest
from schemas.article import plain_text
from schemas.errors import ConflictError, StorageError
from schemas.keys import extracted_key, mark_key, memory_key, resolved_key, staged_memory_key
from schemas.page import Hints
from schemas.runs import ProcessRun
from storage.lake import Lake
from storage.ledger import Ledger
from storage.objects import ObjectStore
from storage.warcreader import read_record_at

CLEANED_TABLE = "cleaned"
DECIDED_TABLE = "decided"


@dataclass(frozen=True, slots=True)
class Base:
    """What a resolution was made against: the lake's snapshots and the site memory's version."""

    articles: int | None
    captures: int | None
    memory_version: int


@dataclass(frozen=True, slots=True)
class Resolved:
    """The completion mark of resolve."""

    base: Base
    buckets: tuple[int, ...]


def current_base(run: ProcessRun, lake: Lake, ledger: Ledger) -> Base:
    """What a resolution made now would be made against."""
    return Base(lake.snapshot_id("articles"), lake.snapshot_id("captures"), ledger.memory_version(run.crawl.name))


def resolved(store: ObjectStore, process_run: str) -> Resolved | None:
    """The mark of a finished resolve, or None."""
    key = mark_key(process_run, "resolved")
    if store.info(key) is None:
        return None
    mark = json.loads(store.get_bytes(key))
    return Resolved(Base(**mark["base"]), tuple(mark["buckets"]))


def resolve_run(run: ProcessRun, segments: Sequence[str], store: ObjectStore, lake: Lake, ledger: Ledger) -> Resolved:
    """Resolve all staged segments of a run against the lake as it is now.

    Raises ConflictError when a segment is not extracted yet.
    """
    base = current_base(run, lake, ledger)
    keys = [extracted_key(run.process_run, segment) for segment in sorted(segments)]
    for key in keys:
        if store.info(key) is None:
            raise ConflictError(f"{key} is not there yet. Run extract for every segment before resolve.")
    buckets = tuple(sorted({bucket for key in keys for bucket in buckets_in(store, key)}))
    memory = _learned(run, keys, buckets, store, base.memory_version)
    version = base.memory_version if run.crawl.articles.site_memory else None
    for bucket in buckets:
        tables = cleaned_bucket(store, keys, bucket, memory, version, run.crawl.articles)
        write_rows(store, resolved_key(run.process_run, bucket, CLEANED_TABLE), tables, CLEANED)
    _write_decisions(run, buckets, store, _decided(run, buckets, store, lake, memory))
    mark = Resolved(base, buckets)
    store.put_bytes(mark_key(run.process_run, "resolved"), json.dumps(asdict(mark)).encode())
    return mark


def load_memory(store: ObjectStore, crawl: str, version: int) -> SiteMemory:
    """A version of a crawl's site memory; 0 is the empty one."""
    if version == 0:
        return SiteMemory()
    return SiteMemory.from_arrow(pq.read_table(io.BytesIO(store.get_bytes(memory_key(crawl, version)))))


def _learned(run: ProcessRun, keys: Sequence[str], buckets: Sequence[int], store: ObjectStore, version: int) -> SiteMemory:
    """The pinned memory with the run's own pages; it is staged for publishing."""
    memory = load_memory(store, run.crawl.name, version)
    if run.crawl.articles.site_memory:
        for bucket in buckets:
            learn_bucket(store, keys, bucket, memory)
        rows = memory.to_arrow()
        write_rows(store, staged_memory_key(run.process_run), [rows], rows.schema)
    return memory


def _decided(run: ProcessRun, buckets: Sequence[int], store: ObjectStore, lake: Lake, memory: SiteMemory) -> dict[Place, Decision]:
    cards = [card for bucket in buckets for card in read_cards(_cleaned_rows(run, bucket, store, COLUMNS))]
    index = _index(cards, run.crawl.articles.near_duplicate_similarity)
    view = look(lake, cards, index)
    return decide(cards, view, index.pairs(), lambda version: _recleaned(version, run, store, memory))


def _index(cards: Sequence[Card], threshold: float) -> NearIndex:
    texts: dict[str, bytes] = {}
    for card in sorted(cards, key=lambda card: card.age):
        if card.text_digest and card.minhash and card.quarantine_reason is None:
            texts.setdefault(card.text_digest, card.minhash)
    return NearIndex(list(texts), list(texts.values()), threshold)


def _recleaned(version: Version, run: ProcessRun, store: ObjectStore, memory: SiteMemory) -> str:
    """A committed version's text digest under this run's code and memory: read again from its capture, unless both are the same.

    With site memory they never are, as each run adds its own pages. What can no longer be read stands as it was committed.
    """
    if version.code_version == run.code_version and version.memory_version is None and not run.crawl.articles.site_memory:
        return version.text_digest
    try:
        record = read_record_at(store, version.pointer)
    except StorageError:
        return version.text_digest
    found = read_page(record, run.crawl, "page", Hints())
    if not isinstance(found, ReadPage):
        return version.text_digest
    blocks, _ = clean_blocks(version.host, version.url, found.article.blocks, memory, run.crawl.articles)
    return text_digest(plain_text(blocks))


def _write_decisions(run: ProcessRun, buckets: Sequence[int], store: ObjectStore, decisions: dict[Place, Decision]) -> None:
    """One row group beside each of the cleaned rows, in their order."""
    for bucket in buckets:
        with staged_writer(store, resolved_key(run.process_run, bucket, DECIDED_TABLE), DECIDED) as writer:
            for rows in _cleaned_rows(run, bucket, store, ["warc_filename", "warc_record_offset"]):
                writer.write(pa.Table.from_pylist([decisions[_place(row)].row() for row in rows.to_pylist()], schema=DECIDED))


def _cleaned_rows(run: ProcessRun, bucket: int, store: ObjectStore, columns: list[str]) -> Iterator[pa.Table]:
    return read_rows(store, resolved_key(run.process_run, bucket, CLEANED_TABLE), columns)


def _place(row: dict[str, object]) -> Place:
    return row["warc_filename"], row["warc_record_offset"]  # type: ignore[return-value]
