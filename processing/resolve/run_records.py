"""The records of a run as the datasets see them: what each is, whether its page was read in full, and what it gave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow.compute as pc

from processing.resolve.records import RecordId, record_id_of
from processing.staging.staging import PAGES_NAME, read_rows
from schemas.datasets.dataset import Dataset
from schemas.keys import extracted_key, extracted_rows_key
from schemas.outcomes import Reason
from schemas.runs import ProcessRun
from storage.objects.store import ObjectStore

NOT_FOUND = frozenset({404, 410})
# Why a page was not read in full, so that it says nothing of the rows that it had. All other reasons are of its article only.
UNREAD = frozenset(
    map(
        str,
        (
            Reason.ROBOTS_FILE, Reason.FEED, Reason.SITEMAP, Reason.RENDERED, Reason.REDIRECT, Reason.HTTP_ERROR, Reason.NOT_HTML,
            Reason.EMPTY_BODY, Reason.UNDECODABLE, Reason.TRUNCATED, Reason.DAMAGED_RECORD, Reason.NOINDEX, Reason.AI_PREFERENCE,
            Reason.PAGE_TIMEOUT,
            Reason.PAGE_MEMORY, Reason.PAGE_CRASH,
        ),
    )
)  # fmt: skip
READ_BY_SPIDERS = frozenset(map(str, (Reason.NOT_HTML, Reason.FEED, Reason.SITEMAP, Reason.RENDERED)))  # though no page of text
_COLUMNS = [
    "url", "fetched_at", "fetch_status", "record_type", "content_digest", "warc_filename", "warc_record_offset", "warc_record_length",
    "crawl_run", "reason", "detail", "refers_to_filename", "refers_to_offset",
]  # fmt: skip
_RECURRING = "warc_filename", "crawl_run", "refers_to_filename"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One response or revisit record of a run. `unread` is why its page was not read, if so.

    `has_waiting`: rows of the page are in quarantine, as those of an earlier record.
    """

    record_id: RecordId
    url: str
    fetched_at: datetime
    status: int
    content_digest: str
    length: int
    crawl_run: str
    unread: str | None
    detail: str | None
    refers_to: RecordId | None
    is_revisit: bool
    has_waiting: bool = False

    def is_read(self, dataset: Dataset) -> bool:
        """Whether the page was read in full for a dataset, or is gone."""
        if self.is_revisit or self.has_waiting:
            return False
        if self.status in NOT_FOUND:
            return True
        by_spider = dataset.source is not None and not dataset.source.reads_pages
        if self.unread == Reason.NOT_HTML and dataset.source is not None and dataset.source.pages is not None:
            return True  # a PDF, or another file, which is no page
        return self.unread is None or (by_spider and self.unread in READ_BY_SPIDERS and 200 <= self.status < 300)


@dataclass(frozen=True, slots=True)
class PageRows:
    """How many rows a record's page gave for a dataset, how many more of them wait in quarantine, or why it was rejected."""

    record_id: RecordId
    rows: int
    waiting: int
    error: str | None

    @property
    def is_read(self) -> bool:
        """Whether the page counts as read if the record is a revisit: else its rows wait in quarantine."""
        return bool(self.rows) or self.error is not None or not self.waiting


def read_records(run: ProcessRun, segments: Sequence[str], store: ObjectStore) -> Iterator[RunRecord]:
    """All records of a run, in the order of its segments."""
    return (record for segment in sorted(segments) for record in _segment_records(run, segment, store))


def read_pages(run: ProcessRun, segments: Sequence[str], store: ObjectStore, dataset: str) -> Iterator[PageRows]:
    """What extraction staged of the records that were read for a dataset."""
    for segment in sorted(segments):
        for table in read_rows(store, extracted_rows_key(run.process_run, PAGES_NAME, segment)):
            for row in table.filter(pc.equal(table["dataset"], dataset)).to_pylist():
                yield PageRows(record_id_of(row), row["rows"], row["waiting"] or 0, row["error"])


def read_errors(run: ProcessRun, segments: Sequence[str], store: ObjectStore, dataset: str) -> dict[RecordId, str]:
    """Why records were rejected for a dataset."""
    return {page.record_id: page.error for page in read_pages(run, segments, store, dataset) if page.error is not None}


def _segment_records(run: ProcessRun, segment: str, store: ObjectStore) -> Iterator[RunRecord]:
    once: dict[str, str] = {}  # names that recur: a text of its own in each record would take a quarter of the memory
    for table in read_rows(store, extracted_key(run.process_run, segment), _COLUMNS):
        for row in table.to_pylist():
            name, crawl_run, target = (one and once.setdefault(one, one) for one in (row[column] for column in _RECURRING))
            refers_to = None if target is None else (target, row["refers_to_offset"])
            unread = row["reason"] if row["reason"] in UNREAD else None
            yield RunRecord(
                (name, row["warc_record_offset"]),
                row["url"],
                row["fetched_at"],
                row["fetch_status"],
                row["content_digest"],
                row["warc_record_length"],
                crawl_run,
                unread,
                row["detail"] if unread else None,
                refers_to,
                row["record_type"] == "revisit",
            )
