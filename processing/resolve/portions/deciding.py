"""Decide on all records of a run, portion by portion, and stage the decisions and the sightings of articles.

A run of at most PORTION_RECORDS records is one portion. The records of a larger one are sorted into portions on the local disk first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from processing.clean.cleaning import clean_blocks
from processing.clean.identity import bucket_of
from processing.clean.memory_file import read_memory
from processing.clean.site_memory import SiteMemory
from processing.clean.words import text_digest
from processing.known.known_lake import KnownLake
from processing.resolve.article_sightings import article_sightings
from processing.resolve.canonical_counts import CanonicalCounter, CanonicalCounts
from processing.resolve.datasets import SEEN
from processing.resolve.decisions import decide_versions
from processing.resolve.earlier_rows import EarlierRows, read_earlier_captures, read_earlier_rows
from processing.resolve.excluded import ARTICLE_POSITION, NOTHING, Excluded
from processing.resolve.identities import Identities, decide_identities
from processing.resolve.near_duplicates import NearIndex
from processing.resolve.portions.decided_records import DecidedRecords, open_decided
from processing.resolve.portions.links import Links
from processing.resolve.records import SUMMARY_COLUMNS, Decision, RecordId, RecordSummary, read_summaries
from processing.resolve.replaced import ARTICLES, former_numbers
from processing.resolve.reread import changed_versions, reread
from processing.staging.bucket_spill import BucketSpill
from processing.staging.staging import CLEANED, DECIDED, blocks_of, bounded, count_rows, read_rows, staged_writer
from runtime.failpoint import reached
from runtime.scratch import scratch_folder
from schemas.article import plain_text
from schemas.keys import cleaned_key, crawl_run_of, resolved_key, resolved_rows_key
from schemas.outcomes import Reason
from schemas.page import WarcPointer
from schemas.runs import ProcessRun
from schemas.tables import SIGHTINGS
from storage.objects.store import ObjectStore

DECIDED_TABLE = "decided"
PORTION_RECORDS = 25_000  # what is decided on a record takes some 4 kB of memory
MAX_PORTIONS = 30_000  # their numbers are int16
READ_RECORDS = 10_000  # at a time, to sort them into portions
_PLACE, _PORTION = pa.field("place", pa.int64()), pa.field("bucket", pa.int16(), nullable=False)
_CROWDED = pa.field("is_crowded", pa.bool_())  # see `links`

Containers = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class CleanedRun:
    """A run whose rows are cleaned, and what its records are decided by.

    `base` names the state of the lake, `known` has its rows. `memory` is the key of the site memory that cleaned the rows, None without
    one; `containers` are the elements in which hosts have their articles.
    """

    run: ProcessRun
    base: str
    memory_version: int
    memory: str | None
    parts: Sequence[int]
    containers: Containers
    store: ObjectStore
    known: KnownLake

    def count(self) -> int:
        """How many records the run has."""
        return sum(count_rows(self.store, self._key(part)) for part in self.parts)

    def rows(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """These columns of all cleaned rows, in row groups."""
        for part in self.parts:
            yield from read_rows(self.store, self._key(part), list(columns))

    def groups(self) -> Iterator[tuple[int, list[int]]]:
        """Each part with the number of rows of its row groups."""
        for part in self.parts:
            yield part, [rows.num_rows for rows in read_rows(self.store, self._key(part), ["warc_record_offset"])]

    def until(self) -> datetime | None:
        """The time after which captures of the lake do not count: that of the last record, if the run makes old rows again."""
        if self.known.hidden is None:
            return None
        latest = (pc.max(rows["fetched_at"]) for rows in self.rows(["fetched_at"]))
        return max((one.as_py() for one in latest if one.is_valid), default=None)

    def _key(self, part: int) -> str:
        return cleaned_key(self.run.process_run, self.memory_version, part)


@dataclass(frozen=True, slots=True)
class _Portion:
    """Records that are decided on together, with the articles of their pages, and the rows of the lake that match them.

    `places` are those of the records among the cleaned rows of the run.
    """

    number: int
    places: Sequence[int]
    summaries: Sequence[RecordSummary]
    earlier: EarlierRows
    identities: Identities


def stage_decisions(cleaned: CleanedRun, excluded: Excluded = NOTHING) -> dict[str, CanonicalCounts]:
    """Decide on all records of a run, and stage the decisions and the sightings of articles. Returns the counts of canonical URLs."""
    run, store = cleaned.run, cleaned.store
    canonical = CanonicalCounter()
    seen_key = resolved_rows_key(run.process_run, excluded.key(cleaned.base), ARTICLES, SEEN)
    with (
        scratch_folder() as folder,
        open_decided(folder, run.crawl.articles.near_duplicate_similarity) as decided,
        staged_writer(store, seen_key, SIGHTINGS) as seen,
    ):
        for portion in _read_portions(cleaned):
            canonical.add(portion.summaries, portion.identities)
            summaries = [_without_excluded(summary, excluded) for summary in portion.summaries]
            decisions = _decide(cleaned, portion, summaries)
            decided.add(summaries, portion.places, decisions, portion.earlier)
            for table in bounded(_sightings(cleaned, summaries, decisions, portion.earlier, excluded)):
                seen.write(table)
            del portion, summaries, decisions  # else they are in memory beside the next ones
            reached("resolve.portion")
        decided.compare_texts()
        _write_decisions(cleaned, excluded, decided)
    return canonical.counts()


def reread_versions(cleaned: CleanedRun) -> None:
    """Read and stage the committed versions that the run's records are compared with."""
    for portion in _read_portions(cleaned):
        versions = changed_versions(portion.summaries, portion.earlier, cleaned.run)
        for _ in reread(versions, cleaned.run, cleaned.store, cleaned.containers, portion.number):
            pass


def _decide(cleaned: CleanedRun, portion: _Portion, summaries: Sequence[RecordSummary]) -> dict[RecordId, Decision]:
    digests = _current_digests(cleaned, portion, summaries)
    former = former_numbers(cleaned.known, ARTICLES, pa.array({one.article_id for one in summaries if one.article_id}, pa.string()))
    return decide_versions(summaries, portion.earlier, lambda version: digests.get(version.pointer, version.text_digest), former)


def _sightings(
    cleaned: CleanedRun,
    summaries: Sequence[RecordSummary],
    decisions: Mapping[RecordId, Decision],
    earlier: EarlierRows,
    excluded: Excluded,
) -> Iterator[pa.Table]:
    """The sightings of articles. A crawl run that is held back says nothing, neither that an article is there nor that it is gone."""
    if not cleaned.run.makes_articles:
        return iter(())
    shown = tuple(crawl_run for crawl_run in cleaned.run.crawl_runs if crawl_run not in excluded.held)
    of_shown = [summary for summary in summaries if crawl_run_of(summary.record_id[0]) not in excluded.held]
    return article_sightings(replace(cleaned.run, crawl_runs=shown), of_shown, decisions, earlier, cleaned.known)


def _read_portions(cleaned: CleanedRun) -> Iterator[_Portion]:
    """The portions of a run, one after the other."""
    until, count = cleaned.until(), cleaned.count()
    if count <= PORTION_RECORDS:
        yield _portion(cleaned, 0, range(count), read_summaries(cleaned.rows(SUMMARY_COLUMNS)), until)
        return
    with scratch_folder() as folder:
        portions = _sorted(cleaned, folder, until, min(count // PORTION_RECORDS + 1, MAX_PORTIONS))
        for number in portions.buckets:
            places: list[int] = []
            summaries: list[RecordSummary] = []
            crowded: set[str] = set()
            for table in portions.read(number):
                places += table[_PLACE.name].to_pylist()
                summaries += read_summaries([table])
                crowded.update(table["url"].filter(table[_CROWDED.name]).to_pylist())
            yield _portion(cleaned, number, places, summaries, until, crowded)


def _sorted(cleaned: CleanedRun, folder: Path, until: datetime | None, count: int) -> BucketSpill:
    """The records sorted by portion, on the local disk."""
    links = Links(folder)
    for table in _in_tables(cleaned):
        summaries = read_summaries([table.set_column(*_no_signatures(table))])
        links.add(summaries, read_earlier_captures(cleaned.known, summaries, until))
    with BucketSpill(folder, pa.schema([*(CLEANED.field(name) for name in SUMMARY_COLUMNS), _PLACE, _PORTION, _CROWDED])) as spill:
        start = 0
        for table, (numbers, crowded) in zip(_in_tables(cleaned), links.portions(count), strict=True):
            places = pa.array(np.arange(start, start + table.num_rows))
            columns = ((_PLACE, places), (_PORTION, pa.array(numbers)), (_CROWDED, pa.array(crowded)))
            spill.add(reduce(lambda made, column: made.append_column(*column), columns, table))
            start += table.num_rows
    return spill


def _in_tables(cleaned: CleanedRun) -> Iterator[pa.Table]:
    return bounded((rows.select(SUMMARY_COLUMNS) for rows in cleaned.rows(SUMMARY_COLUMNS)), READ_RECORDS, READ_RECORDS * 4_000)


def _no_signatures(table: pa.Table) -> tuple[int, pa.Field, pa.Array]:
    place = table.schema.get_field_index("signature")
    return place, table.schema.field(place), pa.nulls(table.num_rows, pa.binary())


def _portion(
    cleaned: CleanedRun,
    number: int,
    places: Sequence[int],
    summaries: Sequence[RecordSummary],
    until: datetime | None,
    crowded: Collection[str] = frozenset(),
) -> _Portion:
    index = _near_index(summaries, cleaned.run.crawl.articles.near_duplicate_similarity)
    earlier = read_earlier_rows(cleaned.known, summaries, index, until)
    identities = decide_identities(summaries, earlier, crowded)
    return _Portion(number, places, identities.of(summaries), earlier, identities)


def _near_index(summaries: Sequence[RecordSummary], threshold: float) -> NearIndex:
    texts: dict[str, bytes] = {}
    for summary in sorted(summaries, key=lambda summary: (summary.rank(), summary.text_digest or "")):
        if summary.text_digest and summary.signature and summary.quarantine_reason is None:
            texts.setdefault(summary.text_digest, summary.signature)
    return NearIndex(list(texts), list(texts.values()), threshold)


def _without_excluded(summary: RecordSummary, excluded: Excluded) -> RecordSummary:
    """The summary; an article that the gate took out breaks a rule, and one of a crawl run that is held back is rejected."""
    if summary.reason is not None or summary.article_id is None:
        return summary
    if (why_held := excluded.held.get(crawl_run_of(summary.record_id[0]))) is not None:
        return replace(summary, reason=str(Reason.HELD), detail=why_held)
    rule = excluded.rows.get((*summary.record_id, ARTICLE_POSITION))
    return summary if rule is None else replace(summary, quarantine_reason=rule[0], quarantine_detail=rule[1])


def _current_digests(cleaned: CleanedRun, portion: _Portion, summaries: Sequence[RecordSummary]) -> dict[WarcPointer, str]:
    """The text digests that changed versions have under this run's code and site memory.

    A version that can no longer be read is left out and counts as it was committed.
    """
    run, store = cleaned.run, cleaned.store
    versions = changed_versions(summaries, portion.earlier, run)
    digests: dict[WarcPointer, str] = {}
    bucket, memory = -1, SiteMemory()
    for version, stored in reread(versions, run, store, cleaned.containers, portion.number):
        if stored is None:
            continue
        if bucket != bucket_of(version.host):
            bucket = bucket_of(version.host)
            memory = read_memory(store, cleaned.memory, bucket)
        blocks, _ = clean_blocks(version.host, version.url, blocks_of(stored), memory, run.crawl.articles)
        digests[version.pointer] = text_digest(plain_text(blocks))
    return digests


def _write_decisions(cleaned: CleanedRun, excluded: Excluded, decided: DecidedRecords) -> None:
    """Stage the decisions: one row group for each row group of the cleaned rows, in the same order."""
    rows = decided.rows()
    for part, groups in cleaned.groups():
        key = resolved_key(cleaned.run.process_run, excluded.key(cleaned.base), part, DECIDED_TABLE)
        with staged_writer(cleaned.store, key, DECIDED) as writer:
            for count in groups:
                writer.write(pa.Table.from_pylist(list(islice(rows, count)), schema=DECIDED))
