"""The records of a run as resolve sees them: small enough that those of a whole run fit into memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyarrow as pa

from schemas.outcomes import Outcome

RecordId = tuple[str, int]  # WARC file and offset: the identity of a record
TextRank = tuple[str, datetime, str, int]  # see `text_rank`
UNDATED = datetime.max.replace(tzinfo=UTC)

WITH_ARTICLE = frozenset({Outcome.PUBLISHED, Outcome.KNOWN, Outcome.DUPLICATE})
"""The outcomes of records whose article is in the lake."""

SUMMARY_COLUMNS = [
    "url", "host", "fetched_at", "fetch_status", "record_type", "kind", "content_digest", "warc_filename", "warc_record_offset", "reason",
    "detail", "refers_to_filename", "refers_to_offset", "article_id", "claimed_url", "text_digest", "signature", "quarantine_reason",
    "quarantine_detail", "crawl_run", "published_at",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class RecordSummary:
    """The part of a cleaned row that resolve decides on. `article_id`, `text_digest` and `signature` are None where there is no article.

    `page_id` is the article_id of the page's own URL, `claimed_url` another URL that the page names as its own. `article_id` is the first
    until the identities are decided.
    """

    record_id: RecordId
    url: str
    fetched_at: datetime
    kind: str
    content_digest: str
    reason: str | None
    detail: str | None
    refers_to: RecordId | None
    is_revisit: bool
    article_id: str | None
    text_digest: str | None
    signature: bytes | None
    quarantine_reason: str | None
    quarantine_detail: str | None
    page_id: str | None = field(default=None, kw_only=True)
    claimed_url: str | None = field(default=None, kw_only=True)
    status: int = field(default=200, kw_only=True)
    crawl_run: str = field(default="", kw_only=True)
    published_at: datetime | None = field(default=None, kw_only=True)

    @property
    def is_twin(self) -> bool:
        """Whether the page's article is known under the URL of another page."""
        return self.page_id is not None and self.article_id != self.page_id

    @property
    def fetch_order(self) -> tuple[datetime, RecordId]:
        """Sorts records by time of fetch; the order is the same on every machine."""
        return self.fetched_at, self.record_id

    def rank(self, version: int = 0) -> TextRank:
        """The `text_rank` of the record's article."""
        return text_rank(self.crawl_run, self.published_at, self.url, version)


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of a record. `reason` and `detail` are for `rejected` and `quarantined`."""

    outcome: Outcome
    article_id: str | None = None
    version: int | None = None
    reason: str | None = None
    detail: str | None = None
    duplicate_of: str | None = None
    duplicate_kind: str | None = None
    similarity: float | None = None

    def row(self) -> dict[str, object]:
        """This decision as a row of the staged decisions."""
        return {
            "outcome": str(self.outcome),
            "decided_reason": self.reason,
            "decided_detail": self.detail,
            "decided_article_id": self.article_id,
            "version": self.version,
            "duplicate_of": self.duplicate_of,
            "duplicate_kind": self.duplicate_kind,
            "duplicate_similarity": self.similarity,
        }


def text_rank(crawl_run: str, published_at: datetime | None, url: str, version: int) -> TextRank:
    """Sorts articles with the same text or nearly so: the first is the original, the others are duplicates.

    An earlier crawl run comes first; within one the article that says it was published first, then the smaller URL, whatever the order of
    fetching.
    """
    return crawl_run, published_at or UNDATED, url, version


def record_id_of(row: Mapping[str, object]) -> RecordId:
    """The id of a row that has the columns `warc_filename` and `warc_record_offset`."""
    return row["warc_filename"], row["warc_record_offset"]  # type: ignore[return-value]


def read_summaries(tables: Iterable[pa.Table]) -> list[RecordSummary]:
    """The summaries of cleaned rows, in their order."""
    return [_summary(row) for table in tables for row in table.select(SUMMARY_COLUMNS).to_pylist()]


def _summary(row: dict[str, object]) -> RecordSummary:
    refers_to = None if row["refers_to_filename"] is None else (row["refers_to_filename"], row["refers_to_offset"])
    same = ("url", "fetched_at", "kind", "content_digest", "reason", "detail", "article_id", "claimed_url", "text_digest", "signature")
    return RecordSummary(
        record_id=record_id_of(row),
        refers_to=refers_to,  # type: ignore[arg-type]
        is_revisit=row["record_type"] == "revisit" and row["article_id"] is None,  # else its page was read again
        page_id=row["article_id"],  # type: ignore[arg-type]
        status=row["fetch_status"],  # type: ignore[arg-type]
        crawl_run=row["crawl_run"],  # type: ignore[arg-type]
        published_at=row["published_at"],  # type: ignore[arg-type]
        quarantine_reason=row["quarantine_reason"],  # type: ignore[arg-type]
        quarantine_detail=row["quarantine_detail"],  # type: ignore[arg-type]
        **{name: row[name] for name in same},  # type: ignore[arg-type]
    )
