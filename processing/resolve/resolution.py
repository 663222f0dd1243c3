"""Resolve: site memory, cleaning, versions and duplicates, host bucket by host bucket, then across the run and against the lake."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

import pyarrow as pa

from processing.clean.cleaning import clean_blocks, cleaned_bucket, learn_bucket
from processing.clean.identity import BUCKETS, bucket_of
from processing.clean.memory_file import read_containers, read_memory, write_memory
from processing.clean.site_memory import SiteMemory
from processing.clean.words import text_digest
from processing.resolve.decisions import decide
from processing.resolve.duplicates import NearIndex
from processing.resolve.earlier_rows import LakeView, Version, look
from processing.resolve.records import COLUMNS, Card, Decision, Place, read_cards
from processing.resolve.reread import reread
from processing.staging.staging import CLEANED, DECIDED, blocks_of, buckets_in, read_rows, staged_writer, write_rows
from schemas.article import plain_text
from schemas.errors import ConflictError
from schemas.keys import extracted_key, mark_key, memory_key, resolved_key, staged_memory_key
from schemas.page import WarcPointer
from schemas.runs import ProcessRun
from storage.lake.lake import Lake
from storage.ledger.ledger import Ledger
from storage.objects.store import ObjectStore

CLEANED_TABLE = "cleaned"
DECIDED_TABLE = "decided"


@dataclass(frozen=True, slots=True)
class Base:
    """What a resolution was made against: the lake's snapshots and the site memory's version."""

    articles: int | None
    captures: int | None
    memory_version: int

    def key(self) -> str:
        """The name of what is staged against this base: 12 hex digits of SHA-256."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:12]


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

    What is staged carries the name of what it was resolved against: a second process at the same work never mixes its rows with these.
    Raises ConflictError when a segment is not extracted yet.
    """
    base = current_base(run, lake, ledger)
    keys = [extracted_key(run.process_run, segment) for segment in sorted(segments)]
    for key in keys:
        if store.info(key) is None:
            raise ConflictError(f"{key} is not there yet. Run extract for every segment before resolve.")
    buckets = tuple(sorted({bucket for key in keys for bucket in buckets_in(store, key)}))
    learned = _learn(run, keys, buckets, store, base.memory_version)
    version = base.memory_version if run.crawl.articles.site_memory else None
    for bucket in buckets:
        tables = cleaned_bucket(store, keys, bucket, read_memory(store, learned, bucket), version, run.crawl.articles)
        write_rows(store, resolved_key(run.process_run, base.key(), bucket, CLEANED_TABLE), tables, CLEANED)
    mark = Resolved(base, buckets)
    _write_decisions(run, mark, store, _decided(run, mark, store, lake, learned))
    store.put_bytes(mark_key(run.process_run, "resolved"), json.dumps(asdict(mark)).encode())
    return mark


def pinned_containers(run: ProcessRun, store: ObjectStore) -> dict[str, tuple[str, ...]]:
    """Where hosts have their articles, by the memory that the run was planned with: for all its reading."""
    known = run.crawl.articles.site_memory and run.memory_version > 0
    return read_containers(store, memory_key(run.crawl.name, run.memory_version) if known else None)


def _learn(run: ProcessRun, keys: Sequence[str], buckets: Sequence[int], store: ObjectStore, version: int) -> str | None:
    """Stage the pinned memory with the run's own pages, which publishing makes the next version; its key, None without site memory."""
    if not run.crawl.articles.site_memory:
        return None
    pinned = memory_key(run.crawl.name, version) if version else None

    def learned(bucket: int) -> SiteMemory:
        memory = read_memory(store, pinned, bucket)
        if bucket in buckets:
            learn_bucket(store, keys, bucket, memory)
        return memory

    staged = staged_memory_key(run.process_run, version)
    write_memory(store, staged, map(learned, range(BUCKETS)))
    return staged


def _decided(run: ProcessRun, mark: Resolved, store: ObjectStore, lake: Lake, learned: str | None) -> dict[Place, Decision]:
    cards, index, view = _viewed(run, mark, store, lake)
    digests = _recleaned(cards, view, run, store, learned)
    return decide(cards, view, index.pairs(), lambda version: digests.get(version.pointer, version.text_digest))


def _viewed(run: ProcessRun, mark: Resolved, store: ObjectStore, lake: Lake) -> tuple[list[Card], NearIndex, LakeView]:
    """The run's records, their near duplicates among each other, and what the lake knows of them."""
    cards = [card for bucket in mark.buckets for card in read_cards(_cleaned_rows(run, mark.base, bucket, store, COLUMNS))]
    index = _index(cards, run.crawl.articles.near_duplicate_similarity)
    return cards, index, look(lake, cards, index)


def _index(cards: Sequence[Card], threshold: float) -> NearIndex:
    texts: dict[str, bytes] = {}
    for card in sorted(cards, key=lambda card: card.age):
        if card.text_digest and card.minhash and card.quarantine_reason is None:
            texts.setdefault(card.text_digest, card.minhash)
    return NearIndex(list(texts), list(texts.values()), threshold)


def reread_changed(run: ProcessRun, store: ObjectStore, lake: Lake, ledger: Ledger) -> None:
    """Read what a new resolution would read again, if the lake or the memory has changed since the last one; it is staged for it.

    For the time before the publish lock is taken: under the lock no page is read then. What is committed is not resolved again.
    """
    if ledger.published_at(run.process_run) is not None or lake.snapshot_of("captures", run.process_run) is not None:
        return
    mark = resolved(store, run.process_run)
    if mark is None or mark.base == current_base(run, lake, ledger):
        return
    cards, _, view = _viewed(run, mark, store, lake)
    versions = _changed(cards, view, run)
    for _ in reread(versions, run, store, pinned_containers(run, store) if versions else {}):
        pass


def _changed(cards: Iterable[Card], view: LakeView, run: ProcessRun) -> list[Version]:
    """The committed versions whose article was captured with another text and must be read again, by host bucket.

    Those that this run's code and memory have cleaned need not be. With site memory there are none, as each run adds its own pages.
    """
    differing = {
        card.article_id
        for card in cards
        if card.article_id in view.versions and card.text_digest != view.versions[card.article_id].text_digest
    }
    versions = [view.versions[article] for article in sorted(differing) if not _is_todays(view.versions[article], run)]
    return sorted(versions, key=lambda version: bucket_of(version.host))


def _is_todays(version: Version, run: ProcessRun) -> bool:
    return version.code_version == run.code_version and version.memory_version is None and not run.crawl.articles.site_memory


def _recleaned(cards: Iterable[Card], view: LakeView, run: ProcessRun, store: ObjectStore, learned: str | None) -> dict[WarcPointer, str]:
    """The text digests that changed versions would have today, under this run's code and memory.

    What can no longer be read has none: it stands as it was committed.
    """
    versions = _changed(cards, view, run)
    containers = pinned_containers(run, store) if versions else {}
    digests: dict[WarcPointer, str] = {}
    bucket, memory = -1, SiteMemory()
    for version, stored in reread(versions, run, store, containers):
        if stored is None:
            continue
        if bucket != bucket_of(version.host):
            bucket = bucket_of(version.host)
            memory = read_memory(store, learned, bucket)
        blocks, _ = clean_blocks(version.host, version.url, blocks_of(stored), memory, run.crawl.articles)
        digests[version.pointer] = text_digest(plain_text(blocks))
    return digests


def _write_decisions(run: ProcessRun, mark: Resolved, store: ObjectStore, decisions: dict[Place, Decision]) -> None:
    """One row group beside each of the cleaned rows, in their order."""
    for bucket in mark.buckets:
        with staged_writer(store, resolved_key(run.process_run, mark.base.key(), bucket, DECIDED_TABLE), DECIDED) as writer:
            for rows in _cleaned_rows(run, mark.base, bucket, store, ["warc_filename", "warc_record_offset"]):
                writer.write(pa.Table.from_pylist([decisions[_place(row)].row() for row in rows.to_pylist()], schema=DECIDED))


def _cleaned_rows(run: ProcessRun, base: Base, bucket: int, store: ObjectStore, columns: list[str]) -> Iterator[pa.Table]:
    return read_rows(store, resolved_key(run.process_run, base.key(), bucket, CLEANED_TABLE), columns)


def _place(row: dict[str, object]) -> Place:
    return row["warc_filename"], row["warc_record_offset"]  # type: ignore[return-value]
