"""The manifest of a closed crawl run. It is made from the registered segments, never by listing the store."""

from __future__ import annotations

from datetime import datetime

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

FORMER_RESPONSES = AliasChoices("responses", "answers")  # `answers` in what earlier releases wrote


class Segment(BaseModel):
    """A registered WARC segment.

    `size` is in bytes, `digest` is `sha256:` + hex of the object. `records` counts response and revisit records, `items` what a user's
    spider made from them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    segment: str
    warc_key: str
    index_key: str
    size: int
    digest: str
    records: int
    items: int = 0


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

    def text(self) -> str:
        """The equation in a line for people."""
        return (
            f"{self.due:,} due = {self.fetched:,} fetched + {self.denied:,} denied + {self.failed:,} failed"
            f" + {self.filtered:,} filtered + {self.left_over:,} left over"
        )


class HostCounts(BaseModel):
    """One host in a run. `bytes` are of bodies as received, `latency_ms` is a sum over the responses.

    `reasons` counts URLs as `outcome` or `outcome:reason`. `stopped` says why the run stopped fetching from the host, if it did.
    `errors` (exchanges without a response) and `retries` are what its workers wrote before they ended; a killed worker may have had more.
    All other numbers are exact.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    due: int = 0
    left_over: int = 0
    stopped: str | None = None
    responses: int = Field(default=0, validation_alias=FORMER_RESPONSES)
    bytes: int = 0
    latency_ms: int = 0
    errors: int = 0
    retries: int = 0
    statuses: dict[str, int] = {}
    reasons: dict[str, int] = {}

    def count_of(self, *outcomes: str) -> int:
        """How many of its URLs ended as one of these: an outcome, or `outcome:reason`."""
        return sum(count for reason, count in self.reasons.items() if reason in outcomes or reason.partition(":")[0] in outcomes)


class FetchStatistics(BaseModel):
    """A run in numbers: archived responses (robots.txt included) and errors, in total and per host.

    `hosts` has the busiest hosts only, `host_count` says how many there were; `opt_outs` counts opt-outs in responses. If the crawl has a
    user's spider: `items` counts the items in the store, `callback_errors` its errors by `callback: error`, `refused_requests` its requests
    that were not accepted, by reason (of any crawl, `takedown` counts the found URLs that are taken down), `pipeline_errors` the errors of
    its item pipelines, `dropped_items` the items that the pipelines dropped, by reason. `not_covered` counts the due URLs that the run's
    budgets did not cover when it was planned: `new` pages, `sources` (feeds, sitemaps, hubs) and `revisits` of known articles.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    responses: int = Field(default=0, validation_alias=FORMER_RESPONSES)
    bytes: int = 0
    latency_ms: int = 0
    errors: int = 0
    retries: int = 0
    statuses: dict[str, int] = {}
    opt_outs: dict[str, int] = {}
    items: int = 0
    callback_errors: dict[str, int] = {}
    refused_requests: dict[str, int] = {}
    pipeline_errors: dict[str, int] = {}
    dropped_items: dict[str, int] = {}
    max_memory_bytes: int = 0
    not_covered: dict[str, int] = {}
    host_count: int = 0
    hosts: dict[str, HostCounts] = {}


class Manifest(BaseModel):
    """The result of a closed crawl run: its segments, its counts and its statistics.

    `left_over_urls` are a few of the URLs that were left over, as examples. Only the ledger's copy has them, from which they can be erased.
    """

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
    statistics: FetchStatistics = FetchStatistics()
    left_over_urls: tuple[str, ...] = ()

    def object_json(self) -> bytes:
        """The manifest as it is stored as an object."""
        return self.model_dump_json(indent=2, exclude={"left_over_urls"}).encode()
