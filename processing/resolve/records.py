"""What resolving needs to know of each record of a run, small enough to hold all of a run in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from schemas.outcomes import Outcome

Place = tuple[str, int]  # WARC file and offset: the identity of a record

COLUMNS = [
    "url", "host", "fetched_at", "record_type", "kind", "content_digest", "warc_filename", "warc_record_offset", "reason", "detail",
    "refers_to_filename", "refers_to_offset", "article_id", "text_digest", "minhash", "quarantine_reason", "quarantine_detail",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Card:
    """A record, as resolving sees it. `article_id`, `text_digest` and `minhash` are an article's."""

    place: Place
    url: str
    fetched_at: datetime
    kind: str
    content_digest: str
    reason: str | None
    detail: str | None
    refers_to: Place | None
    is_revisit: bool
    article_id: str | None
    text_digest: str | None
    minhash: bytes | None
    quarantine_reason: str | None
    quarantine_detail: str | None

    @property
    def age(self) -> tuple[datetime, Place]:
        """The order of fetching, total: the same on every machine."""
        return self.fetched_at, self.place


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a record; `reason` and `detail` go with `rejected` and `quarantined`."""

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


def read_cards(tables: Iterable[pa.Table]) -> list[Card]:
    """The cards of cleaned rows, in their order."""
    return [_card(row) for table in tables for row in table.select(COLUMNS).to_pylist()]


def _card(row: dict[str, object]) -> Card:
    refers_to = None if row["refers_to_filename"] is None else (row["refers_to_filename"], row["refers_to_offset"])
    same = ("url", "fetched_at", "kind", "content_digest", "reason", "detail", "article_id", "text_digest", "minhash")
    return Card(
        place=(row["warc_filename"], row["warc_record_offset"]),  # type: ignore[arg-type]
        refers_to=refers_to,  # type: ignore[arg-type]
        is_revisit=row["record_type"] == "revisit",
        quarantine_reason=row["quarantine_reason"],  # type: ignore[arg-type]
        quarantine_detail=row["quarantine_detail"],  # type: ignore[arg-type]
        **{name: row[name] for name in same},  # type: ignore[arg-type]
    )
