"""Resolve: clean the staged rows with the site memory, then decide the outcome of every record of the process run.

Before: `processing.extract.extraction` has staged the rows of every segment. The rows are cleaned one host bucket at a time; versions and
duplicates are decided over the whole run and against the lake. After: `processing.publish.gate` makes the rows of the tables.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pyarrow as pa

from processing.clean.cleaning import clean_blocks, cleaned_bucket, learn_bucket
from processing.clean.identity import BUCKETS, bucket_of
from processing.clean.memory_file import read_containers, read_memory, write_memory
from processing.clean.site_memory import SiteMemory
from processing.clean.words import text_digest
from processing.known.known_lake import KnownLake, open_known
from processing.resolve.article_sightings import ARTICLES, article_sightings
from processing.resolve.canonical_counts import CanonicalCounts, canonical_counts
from processing.resolve.datasets import SEEN, resolve_datasets
from processing.resolve.decisions import decide
from processing.resolve.earlier_rows import EarlierRows, Version, read_earlier_rows
from processing.resolve.excluded import ARTICLE_POSITION, NOTHING, Excluded
from processing.resolve.identities import Identities, decide_identities
from processing.resolve.near_duplicates import NearIndex
from processing.resolve.records import SUMMARY_COLUMNS, Decision, RecordId, RecordSummary, read_summaries, record_id_of
from processing.resolve.replaced import former_numbers, remaining
from processing.resolve.reread import reread
from processing.staging.staging import CLEANED, DECIDED, blocks_of, buckets_in, read_rows, staged_writer, write_rows
from schemas.article import plain_text
from schemas.errors import ConflictError
from schemas.keys import crawl_run_of, extracted_key, mark_key, memory_key, resolved_key, resolved_rows_key, staged_memory_key
from schemas.outcomes import Reason
from schemas.page import WarcPointer
from schemas.runs import ProcessRun, RunKind
from schemas.tables import SIGHTINGS
from storage.lake.lake import Lake
from storage.ledger.ledger import Ledger
from storage.objects.store import ObjectStore

CLEANED_TABLE = "cleaned"
DECIDED_TABLE = "decided"


@dataclass(frozen=True, slots=True)
class Base:
    """The state that a run was resolved against: the snapshots of the lake's tables and the version of the site memory.

    `datasets` has the snapshots of the tables of the run's own datasets, and of `sightings`.
    """

    articles: int | None
    captures: int | None
    memory_version: int
    datasets: tuple[tuple[str, int | None], ...] = ()

    def key(self) -> str:
        """The name of the folder for rows that were resolved against this base: 12 hex digits of SHA-256."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class ResolveMark:
    """The completion mark of resolve: what the run was resolved against, and the host buckets that have rows.

    `canonical` says, by crawl run, what became of the canonical URLs that pages claim.
    """

    base: Base
    buckets: tuple[int, ...]
    canonical: dict[str, CanonicalCounts] = field(default_factory=dict)


def current_base(run: ProcessRun, lake: Lake, ledger: Ledger) -> Base:
    """The base that the run would be resolved against now."""
    datasets = tuple((name, lake.snapshot_id(name)) for name in dataset_table_names(run))
    return Base(lake.snapshot_id("articles"), lake.snapshot_id("captures"), ledger.memory_version(run.crawl.name), datasets)


def _base_of(run: ProcessRun, known: KnownLake, ledger: Ledger) -> Base:
    datasets = tuple((name, known.snapshot_id(name)) for name in dataset_table_names(run))
    return Base(known.snapshot_id("articles"), known.snapshot_id("captures"), ledger.memory_version(run.crawl.name), datasets)


def _known_at(base: Base, store: ObjectStore, lake: Lake) -> KnownLake:
    """The known rows of the lake as it was when a run was resolved."""
    return open_known(lake, store, {"articles": base.articles, "captures": base.captures, **dict(base.datasets)})


def dataset_table_names(run: ProcessRun) -> list[str]:
    """The tables that a run reads and writes for its datasets, besides those of `articles`."""
    return [*(dataset.name for dataset in run.own_datasets), "sightings"]


def read_resolve_mark(store: ObjectStore, process_run: str) -> ResolveMark | None:
    """The mark of a finished resolve, or None."""
    key = mark_key(process_run, "resolved")
    if store.info(key) is None:
        return None
    mark = json.loads(store.get_bytes(key))
    return ResolveMark(read_base(mark["base"]), tuple(mark["buckets"]), mark.get("canonical", {}))


def read_base(stored: dict[str, Any]) -> Base:  # Any: JSON
    """The base that was stored as JSON."""
    datasets = tuple((name, snapshot) for name, snapshot in stored.get("datasets", ()))
    return Base(**{**stored, "datasets": datasets})


def resolve_run(run: ProcessRun, segments: Sequence[str], store: ObjectStore, lake: Lake, ledger: Ledger) -> ResolveMark:
    """Resolve all staged segments of a run against the lake as it is now.

    The staged rows are named after their base, so that two processes that resolve the same run never mix their rows.
    Raises ConflictError when a segment is not extracted yet.
    """
    known = open_known(remaining(run, store, lake), store)
    base = _base_of(run, known, ledger)
    keys = [extracted_key(run.process_run, segment) for segment in sorted(segments)]
    for key in keys:
        if store.info(key) is None:
            raise ConflictError(f"{key} is not there yet. Run extract for every segment before resolve.")
    buckets = tuple(sorted({bucket for key in keys for bucket in buckets_in(store, key)}))
    memory_staged = _stage_memory(run, keys, buckets, store, base.memory_version)
    version = base.memory_version if run.crawl.articles.site_memory else None
    for bucket in buckets:
        tables = cleaned_bucket(store, keys, bucket, read_memory(store, memory_staged, bucket), version, run.crawl.articles)
        write_rows(store, resolved_key(run.process_run, base.key(), bucket, CLEANED_TABLE), tables, CLEANED)
    canonical = _stage_decisions(run, base, buckets, store, known, memory_staged)
    mark = ResolveMark(base, buckets, canonical)
    resolve_datasets(run, base.key(), segments, store, known)
    store.put_bytes(mark_key(run.process_run, "resolved"), json.dumps(asdict(mark)).encode())
    return mark


def decide_again(run: ProcessRun, mark: ResolveMark, excluded: Excluded, store: ObjectStore, lake: Lake) -> None:
    """Stage the decisions on a resolved run's records, and its sightings of articles, once more without what the gate has taken out."""
    version = mark.base.memory_version
    memory_staged = staged_memory_key(run.process_run, version) if run.crawl.articles.site_memory else None
    _stage_decisions(run, mark.base, mark.buckets, store, _known_at(mark.base, store, remaining(run, store, lake)), memory_staged, excluded)


def pinned_containers(run: ProcessRun, store: ObjectStore) -> dict[str, tuple[str, ...]]:
    """The elements in which hosts have their articles, from the site memory that the run was planned with. All its stages use these."""
    known = run.crawl.articles.site_memory and run.memory_version > 0
    return read_containers(store, memory_key(run.crawl.name, run.memory_version) if known else None)


def _stage_memory(run: ProcessRun, keys: Sequence[str], buckets: Sequence[int], store: ObjectStore, version: int) -> str | None:
    """Stage the site memory with the run's own pages added; publish makes it the next version. Its key, None without site memory.

    A run that replaces has pages that the memory knows already; if they are processed again, other code may find other blocks on them.
    """
    if not run.crawl.articles.site_memory:
        return None
    pinned = memory_key(run.crawl.name, version) if version else None
    if run.replacement is not None and run.kind is not RunKind.REPROCESS:
        return pinned

    def with_own_pages(bucket: int) -> SiteMemory:
        memory = read_memory(store, pinned, bucket)
        if bucket in buckets:
            learn_bucket(store, keys, bucket, memory)
        return memory

    staged = staged_memory_key(run.process_run, version)
    write_memory(store, staged, map(with_own_pages, range(BUCKETS)))
    return staged


@dataclass(frozen=True, slots=True)
class _RunRows:
    """The records of a run with the articles of their pages, the index of their texts, and the rows of the lake that match them."""

    summaries: list[RecordSummary]
    index: NearIndex
    earlier: EarlierRows
    identities: Identities


def _stage_decisions(
    run: ProcessRun,
    base: Base,
    buckets: Sequence[int],
    store: ObjectStore,
    known: KnownLake,
    memory_staged: str | None,
    excluded: Excluded = NOTHING,
) -> dict[str, CanonicalCounts]:
    """Decide on all records of a run, and stage the decisions and the sightings of articles. Returns the counts of canonical URLs."""
    rows = _read_run(run, base, buckets, store, known)
    summaries = [_without_excluded(summary, excluded) for summary in rows.summaries]
    digests = _current_digests(summaries, rows.earlier, run, store, memory_staged)
    former = former_numbers(known, ARTICLES, pa.array({one.article_id for one in summaries if one.article_id}, pa.string()))
    near = rows.index.pairs()
    decisions = decide(summaries, rows.earlier, near, lambda version: digests.get(version.pointer, version.text_digest), former)
    _write_decisions(run, base, buckets, store, decisions, excluded)
    if run.makes_articles:  # a crawl run that is held back says nothing, neither that an article is there nor that it is gone
        shown = replace(run, crawl_runs=tuple(crawl_run for crawl_run in run.crawl_runs if crawl_run not in excluded.held))
        of_shown = [summary for summary in summaries if crawl_run_of(summary.record_id[0]) not in excluded.held]
        sightings = article_sightings(shown, of_shown, decisions, rows.earlier, known)
        write_rows(store, resolved_rows_key(run.process_run, excluded.key(base.key()), ARTICLES, SEEN), sightings, SIGHTINGS)
    return canonical_counts(rows.summaries, rows.identities)


def _read_run(run: ProcessRun, base: Base, buckets: Sequence[int], store: ObjectStore, known: KnownLake) -> _RunRows:
    cleaned = (rows for bucket in buckets for rows in _cleaned_rows(run, base, bucket, store, SUMMARY_COLUMNS))
    summaries = read_summaries(cleaned)
    index = _near_index(summaries, run.crawl.articles.near_duplicate_similarity)
    until = max((one.fetched_at for one in summaries), default=None) if known.hidden is not None else None
    earlier = read_earlier_rows(known, summaries, index, until)
    identities = decide_identities(summaries, earlier)
    return _RunRows(identities.of(summaries), index, earlier, identities)


def _without_excluded(summary: RecordSummary, excluded: Excluded) -> RecordSummary:
    """The summary; an article that the gate took out breaks a rule, and one of a crawl run that is held back is rejected."""
    if summary.reason is not None or summary.article_id is None:
        return summary
    if (why_held := excluded.held.get(crawl_run_of(summary.record_id[0]))) is not None:
        return replace(summary, reason=str(Reason.HELD), detail=why_held)
    rule = excluded.rows.get((*summary.record_id, ARTICLE_POSITION))
    return summary if rule is None else replace(summary, quarantine_reason=rule[0], quarantine_detail=rule[1])


def _near_index(summaries: Sequence[RecordSummary], threshold: float) -> NearIndex:
    texts: dict[str, bytes] = {}
    for summary in sorted(summaries, key=lambda summary: (summary.rank(), summary.text_digest or "")):
        if summary.text_digest and summary.signature and summary.quarantine_reason is None:
            texts.setdefault(summary.text_digest, summary.signature)
    return NearIndex(list(texts), list(texts.values()), threshold)


def reread_changed(run: ProcessRun, store: ObjectStore, lake: Lake, ledger: Ledger) -> None:
    """Read and stage the committed versions that resolving again would read, where the lake or the site memory has changed since.

    Called before the publish lock is taken, so that no page is read under the lock. A committed run is not resolved again.
    """
    if ledger.published_at(run.process_run) is not None or lake.snapshot_of("captures", run.process_run) is not None:
        return
    mark = read_resolve_mark(store, run.process_run)
    if mark is None or mark.base == current_base(run, lake, ledger):
        return
    rows = _read_run(run, mark.base, mark.buckets, store, _known_at(mark.base, store, remaining(run, store, lake)))
    versions = _changed_versions(rows.summaries, rows.earlier, run)
    for _ in reread(versions, run, store, pinned_containers(run, store) if versions else {}):
        pass


def _changed_versions(summaries: Iterable[RecordSummary], earlier: EarlierRows, run: ProcessRun) -> list[Version]:
    """The committed versions that must be read again, sorted by host bucket: their article now has another text.

    Versions that this run's code cleaned without site memory need not be read again. With site memory all must be: each run changes it.
    """
    differing: dict[WarcPointer, Version] = {}
    for summary in summaries:
        version = earlier.last_version(summary.article_id, summary.url) if summary.article_id is not None else None
        if version is None or version.text_digest == summary.text_digest or (summary.is_twin and version.url != summary.url):
            continue
        if not _is_current(version, run):
            differing[version.pointer] = version
    return sorted(differing.values(), key=lambda version: (bucket_of(version.host), version.url, version.version))


def _is_current(version: Version, run: ProcessRun) -> bool:
    return version.code_version == run.code_version and version.memory_version is None and not run.crawl.articles.site_memory


def _current_digests(
    summaries: Iterable[RecordSummary], earlier: EarlierRows, run: ProcessRun, store: ObjectStore, memory_staged: str | None
) -> dict[WarcPointer, str]:
    """The text digests that changed versions have under this run's code and site memory.

    A version that can no longer be read is left out and counts as it was committed.
    """
    versions = _changed_versions(summaries, earlier, run)
    containers = pinned_containers(run, store) if versions else {}
    digests: dict[WarcPointer, str] = {}
    bucket, memory = -1, SiteMemory()
    for version, stored in reread(versions, run, store, containers):
        if stored is None:
            continue
        if bucket != bucket_of(version.host):
            bucket = bucket_of(version.host)
            memory = read_memory(store, memory_staged, bucket)
        blocks, _ = clean_blocks(version.host, version.url, blocks_of(stored), memory, run.crawl.articles)
        digests[version.pointer] = text_digest(plain_text(blocks))
    return digests


def _write_decisions(
    run: ProcessRun,
    base: Base,
    buckets: Sequence[int],
    store: ObjectStore,
    decisions: dict[RecordId, Decision],
    excluded: Excluded,
) -> None:
    """Stage the decisions: one row group for each row group of the cleaned rows, in the same order."""
    for bucket in buckets:
        with staged_writer(store, resolved_key(run.process_run, excluded.key(base.key()), bucket, DECIDED_TABLE), DECIDED) as writer:
            for rows in _cleaned_rows(run, base, bucket, store, ["warc_filename", "warc_record_offset"]):
                writer.write(pa.Table.from_pylist([decisions[record_id_of(row)].row() for row in rows.to_pylist()], schema=DECIDED))


def _cleaned_rows(run: ProcessRun, base: Base, bucket: int, store: ObjectStore, columns: list[str]) -> Iterator[pa.Table]:
    return read_rows(store, resolved_key(run.process_run, base.key(), bucket, CLEANED_TABLE), columns)
