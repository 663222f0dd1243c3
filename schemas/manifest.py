"""The manifest of a closed crawl run: made from registered segments, never from a listing."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class Segment(BaseModel):
    """A registered WARC segment.

    `size` in bytes, `digest` is `sha256:` + hex of the object, `records` counts response and revisit records.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    segment: str
    warc_key: str
    index_key: str
    size: int
    digest: str
    records: int


class FetchCounts(BaseModel):
    """due = fetched + denied + failed + filtered + left_over, always."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    due: int = 0
    fetched: int = 0
    denied: int = 0
    failed: int = 0
    filtered: int = 0
    left_over: int = 0

    def balanced(self) -> bool:
        """Whether the equation holds."""
        return self.due == self.fetched + self.denied + self.failed + self.filtered + self.left_over


class Manifest(BaseModel):
    """What a closed crawl run left behind."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    crawl_run: str
    crawl: str
    code_version: str
    config_hash: str
    planned_at: datetime
    closed_at: datetime
    finish_reason: str
    counts: FetchCounts
    reasons: dict[str, int]
    segments: tuple[Segment, ...]
