"""Resolve: clean the staged rows with the site memory, then decide the outcome of every record of the process run.

Before: `processing.extract.extraction` has staged the rows of every segment. The rows are cleaned one part at a time, which is one or
several host buckets; versions and duplicates are decided over the whole run and against the lake. After: `processing.publish.gate` makes
the rows of the tables.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from processing.clean.cleaning import cleaned_part
from processing.clean.memory_file import learned_memory, read_containers, read_memory_of, write_memory
from processing.known.known_lake import KnownLake, open_known
from processing.resolve.canonical_counts import CanonicalCounts
from processing.resolve.datasets import resolve_datasets
from processing.resolve.excluded import Excluded
from processing.resolve.portions.deciding import CleanedRun, reread_versions, stage_decisions
from processing.resolve.replaced import remaining
from processing.staging.bucket_parts import parts_of, read_part
from processing.staging.staging import CLEANED, write_rows
from schemas.errors import ConflictError
from schemas.keys import cleaned_key, extracted_key, mark_key, memory_key, staged_memory_key
from schemas.runs import ProcessRun, RunKind
from storage.lake.lake import Lake
from storage.ledger.ledger import Ledger
from storage.objects.store import ObjectStore


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
    """The completion mark of resolve: what the run was resolved against, and the parts of its rows, each by its first host bucket.

    `canonical` says, by crawl run, what became of the canonical URLs that pages claim.
    """

    base: Base
    parts: tuple[int, ...]
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
    parts = mark["parts"] if "parts" in mark else mark["buckets"]  # earlier releases had a part for each bucket
    return ResolveMark(read_base(mark["base"]), tuple(parts), mark.get("canonical", {}))


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
    parts = parts_of(store, keys)
    memory_staged = _stage_memory(run, keys, parts, store, base.memory_version)
    for part in parts:
        _clean_part(run, keys, part, store, base.memory_version, memory_staged)
    names = tuple(part.start for part in parts)
    canonical = stage_decisions(_cleaned_run(run, base, names, store, known))
    mark = ResolveMark(base, names, canonical)
    resolve_datasets(run, base.key(), segments, store, known)
    store.put_bytes(mark_key(run.process_run, "resolved"), json.dumps(asdict(mark)).encode())
    return mark


def decide_again(run: ProcessRun, mark: ResolveMark, excluded: Excluded, store: ObjectStore, lake: Lake) -> None:
    """Stage the decisions on a resolved run's records, and its sightings of articles, once more without what the gate has taken out."""
    known = _known_at(mark.base, store, remaining(run, store, lake))
    stage_decisions(_cleaned_run(run, mark.base, mark.parts, store, known), excluded)


def pinned_containers(run: ProcessRun, store: ObjectStore) -> dict[str, tuple[str, ...]]:
    """The elements in which hosts have their articles, from the site memory that the run was planned with. All its stages use these."""
    known = run.crawl.articles.site_memory and run.memory_version > 0
    return read_containers(store, memory_key(run.crawl.name, run.memory_version) if known else None)


def _memory_of(run: ProcessRun, version: int) -> str | None:
    """The key of the site memory by which a run's rows are cleaned: a version with the run's own pages. None without one.

    A run that replaces has pages that the memory knows already; if they are processed again, other code may find other blocks on them.
    """
    if not run.crawl.articles.site_memory:
        return None
    if run.replacement is not None and run.kind is not RunKind.REPROCESS:
        return memory_key(run.crawl.name, version) if version else None
    return staged_memory_key(run.process_run, version)


def _stage_memory(run: ProcessRun, keys: Sequence[str], parts: Sequence[range], store: ObjectStore, version: int) -> str | None:
    """Stage the site memory with the run's own pages added; publish makes it the next version. Its key, None without site memory."""
    staged = staged_memory_key(run.process_run, version)
    if _memory_of(run, version) != staged or store.info(staged) is not None:
        return _memory_of(run, version)
    pinned = memory_key(run.crawl.name, version) if version else None
    write_memory(store, staged, learned_memory(store, pinned, keys, parts))
    return staged


def _clean_part(run: ProcessRun, keys: Sequence[str], part: range, store: ObjectStore, version: int, memory: str | None) -> None:
    """Stage the cleaned rows of a part, if they are not there: when it is decided on again with the same memory, they are."""
    key = cleaned_key(run.process_run, version, part.start)
    if store.info(key) is None:
        named = version if run.crawl.articles.site_memory else None
        hosts = {host for table in read_part(store, keys, part, ["bucket", "host"]) for host in table["host"].unique().to_pylist()}
        known = read_memory_of(store, memory, hosts)
        write_rows(store, key, cleaned_part(read_part(store, keys, part), known, named, run.crawl.articles), CLEANED)


def _cleaned_run(run: ProcessRun, base: Base, parts: Sequence[int], store: ObjectStore, known: KnownLake) -> CleanedRun:
    memory, containers = _memory_of(run, base.memory_version), pinned_containers(run, store)
    return CleanedRun(run, base.key(), base.memory_version, memory, parts, containers, store, known)


def reread_changed(run: ProcessRun, store: ObjectStore, lake: Lake, ledger: Ledger) -> None:
    """Read and stage the committed versions that resolving again would read, where the lake or the site memory has changed since.

    Called before the publish lock is taken, so that no page is read under the lock. A committed run is not resolved again.
    """
    if ledger.published_at(run.process_run) is not None or lake.snapshot_of("captures", run.process_run) is not None:
        return
    mark = read_resolve_mark(store, run.process_run)
    if mark is None or mark.base == current_base(run, lake, ledger):
        return
    known = _known_at(mark.base, store, remaining(run, store, lake))
    reread_versions(_cleaned_run(run, mark.base, mark.parts, store, known))
