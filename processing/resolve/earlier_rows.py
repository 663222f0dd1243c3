"""Read the rows of the lake that matter for a run's records: equal payloads, revisited captures, versions, exact and near originals.

The tables are streamed. Only rows that match a record of the run stay in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from processing.clean.identity import twin_urls, url_id
from processing.clean.minhash import signatures
from processing.resolve.near_duplicates import NearIndex
from processing.resolve.records import WITH_ARTICLE, RecordId, RecordSummary, record_id_of
from schemas.page import WarcPointer
from storage.lake.lake import Lake

_VERSION_COLUMNS = [
    "article_id", "version", "sequence", "url", "host", "text_digest", "crawl", "code_version", "memory_version", "fetched_at",
    "warc_filename", "warc_record_offset", "warc_record_length", "content_digest", "duplicate_of",
    "crawl_run",
]  # fmt: skip
_TEXT_COLUMNS = ["article_id", "version", "sequence", "text_digest", "minhash"]
_CAPTURE_COLUMNS = [
    "url",
    "content_digest",
    "outcome",
    "reason",
    "article_id",
    "article_version",
    "warc_filename",
    "warc_record_offset",
    "sequence",
    "outcomes",
    "fetched_at",
]
_WITH_ARTICLE = sorted(map(str, WITH_ARTICLE))

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)

CommitOrder = tuple[int, datetime, str, int]  # (sequence, fetched_at, WARC file, offset): the smaller one was committed first


@dataclass(frozen=True, slots=True)
class Version:
    """The version of an article in the lake that was fetched last, with the code and the site memory that cleaned it.

    `highest` is the highest number that a version of the article has: one that was released from quarantine may be older than the last.
    """

    version: int
    sequence: int
    url: str
    host: str
    text_digest: str
    crawl: str
    code_version: str
    memory_version: int | None
    pointer: WarcPointer
    crawl_run: str = ""
    fetched_at: datetime = LONG_AGO
    highest: int = 0


@dataclass(frozen=True, slots=True)
class EarlierOutcome:
    """The outcome of an earlier capture."""

    outcome: str
    reason: str | None
    article_id: str | None
    version: int | None


@dataclass(frozen=True, slots=True)
class Original:
    """A committed row of which others may be duplicates."""

    commit_order: CommitOrder
    article_id: str
    similarity: float = 1.0


@dataclass(frozen=True, slots=True)
class Text:
    """A text by which articles are compared: its digest and its MinHash signature."""

    digest: str
    minhash: bytes | None


Order = tuple[datetime, int]  # of captures: (fetched_at, sequence); an old capture that is processed again has a later sequence


@dataclass(slots=True)
class EarlierPage:
    """What the captures of the lake say of a page: the article that it had last, if any, and whether it had one when it was read last."""

    article_id: str | None = None
    has_article: bool = False
    _article_order: Order | None = None
    _order: Order | None = None

    def add(self, article_id: str | None, order: Order) -> None:
        """Take in one capture; they come in any order."""
        if article_id is not None and (self._article_order is None or order >= self._article_order):
            self.article_id, self._article_order = article_id, order
        if self._order is None or order >= self._order:
            self.has_article, self._order = article_id is not None, order


@dataclass(slots=True)
class EarlierRows:
    """The rows of the lake that match records of a run.

    `payloads` are by (URL, content digest), `captures` by record, `pages` by URL, `versions` by article, `exact` by text digest; `near` has
    similar originals by the text digest of the run. `page_versions` has the last version by (article, URL) for articles with several pages.
    `texts` are those of the articles that pages of the run claim to be. `later` has, by article, the highest number of versions that were
    fetched after the run's records. `gone` are articles of earlier captures that have no version any more: their rows were taken out.
    """

    payloads: dict[tuple[str, str], EarlierOutcome] = field(default_factory=dict)
    captures: dict[RecordId, EarlierOutcome] = field(default_factory=dict)
    pages: dict[str, EarlierPage] = field(default_factory=dict)
    versions: dict[str, Version] = field(default_factory=dict)
    page_versions: dict[tuple[str, str], Version] = field(default_factory=dict)
    texts: dict[str, list[Text]] = field(default_factory=dict)
    later: dict[str, int] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    exact: dict[str, list[Original]] = field(default_factory=dict)
    near: dict[str, list[Original]] = field(default_factory=dict)

    def article_of(self, url: str) -> str | None:
        """The article that a page had last."""
        page = self.pages.get(url)
        return None if page is None else page.article_id

    def highest(self, article_id: str) -> int:
        """The highest number that a version of an article has; 0 without any."""
        known = self.versions.get(article_id)
        return max(known.version, known.highest, self.later.get(article_id, 0)) if known else self.later.get(article_id, 0)

    def last_version(self, article_id: str, url: str) -> Version | None:
        """The version with which a new capture of a page is compared: the last one that the page itself gave, else the article's latest."""
        return self.page_versions.get((article_id, url)) or self.versions.get(article_id)


def read_earlier_rows(lake: Lake, summaries: Sequence[RecordSummary], index: NearIndex, until: datetime | None = None) -> EarlierRows:
    """The rows that the lake has now for these records. `index` has the run's own MinHash signatures.

    Captures and versions that were fetched after `until` count only as originals, and by their numbers.
    """
    earlier = EarlierRows()
    _add_captures(lake, summaries, earlier, until)
    _add_articles(lake, summaries, index, earlier, until)
    for found in (*earlier.exact.values(), *earlier.near.values()):
        found.sort(key=lambda original: original.commit_order)
    return earlier


def _claimed_urls(summaries: Sequence[RecordSummary]) -> set[str]:
    return {summary.claimed_url for summary in summaries if summary.claimed_url is not None}


def _add_captures(lake: Lake, summaries: Sequence[RecordSummary], earlier: EarlierRows, until: datetime | None) -> None:
    urls = {(summary.url, summary.content_digest) for summary in summaries}
    named = {url for claimed in _claimed_urls(summaries) for url in twin_urls(claimed)}
    page_urls = pa.array({summary.url for summary in summaries} | named, pa.string())
    files = pa.array({summary.refers_to[0] for summary in summaries if summary.refers_to}, pa.string())
    record_ids = {summary.refers_to for summary in summaries if summary.refers_to}
    latest: dict[tuple[str, str], Order] = {}
    for batch in lake.scan("captures", _CAPTURE_COLUMNS):
        of_run = pc.is_in(batch["url"].cast(pa.string()), page_urls)
        for row in batch.filter(pc.or_(of_run, pc.is_in(batch["warc_filename"], files))).to_pylist():
            previous = _article_outcome(row)
            if previous is None or (until is not None and row["fetched_at"] > until):
                continue
            order = row["fetched_at"], row["sequence"]
            earlier.pages.setdefault(row["url"], EarlierPage()).add(previous.article_id, order)
            payload, record_id = (row["url"], row["content_digest"]), record_id_of(row)
            if record_id in record_ids:
                earlier.captures[record_id] = previous
            if previous.outcome in WITH_ARTICLE and payload in urls and order >= latest.get(payload, order):
                latest[payload] = order
                earlier.payloads[payload] = previous


def _article_outcome(row: dict[str, Any]) -> EarlierOutcome | None:
    """What a capture was for `articles`; None where its crawl makes none. The column `outcome` is the summary of all datasets."""
    if row["outcomes"] is None:  # in rows of earlier releases
        return EarlierOutcome(row["outcome"], row["reason"], row["article_id"], row["article_version"])
    for found in row["outcomes"]:
        if found["dataset"] == "articles":
            return EarlierOutcome(found["outcome"], found["reason"], row["article_id"], row["article_version"])
    return None


def _add_articles(lake: Lake, summaries: Sequence[RecordSummary], index: NearIndex, earlier: EarlierRows, until: datetime | None) -> None:
    claimed = {url_id(url) for url in _claimed_urls(summaries)}
    of_pages = {page.article_id for page in earlier.pages.values() if page.article_id is not None}
    compared = pa.array(claimed | of_pages, pa.string())
    known = {one.article_id for one in (*earlier.payloads.values(), *earlier.captures.values()) if one.article_id is not None}
    ids = pa.array({summary.article_id for summary in summaries if summary.article_id} | claimed | of_pages | known, pa.string())
    digests = pa.array({summary.text_digest for summary in summaries if summary.text_digest}, pa.string())
    text_versions: dict[str, tuple[int, int]] = {}
    for batch in lake.scan("articles", [*_VERSION_COLUMNS, "minhash"]):
        originals = batch.filter(pc.is_null(batch["duplicate_of"]))
        for row in batch.filter(pc.is_in(batch["article_id"], ids)).select(_VERSION_COLUMNS).to_pylist():
            if until is not None and row["fetched_at"] > until:
                earlier.later[row["article_id"]] = max(row["version"], earlier.later.get(row["article_id"], 0))
            else:
                _add_version(earlier, row)
        if claimed:
            for row in batch.filter(pc.is_in(batch["article_id"], compared)).select(_TEXT_COLUMNS).to_pylist():
                _add_if_latest_text(earlier, text_versions, row)
        for row in originals.filter(pc.is_in(originals["text_digest"], digests)).select(_VERSION_COLUMNS).to_pylist():
            earlier.exact.setdefault(row["text_digest"], []).append(Original(_commit_order(row), row["article_id"]))
        _add_near_originals(originals.filter(pc.is_valid(originals["minhash"])), index, earlier)
    earlier.gone = known - earlier.versions.keys() - earlier.later.keys()


def _add_if_latest_text(earlier: EarlierRows, versions: dict[str, tuple[int, int]], row: dict[str, Any]) -> None:
    order = (row["version"], row["sequence"])
    if order >= versions.get(row["article_id"], order):
        versions[row["article_id"]] = order
        earlier.texts[row["article_id"]] = [Text(row["text_digest"], row["minhash"])]


def _add_near_originals(originals: pa.RecordBatch, index: NearIndex, earlier: EarlierRows) -> None:
    if not originals.num_rows:
        return
    found = index.query(signatures(originals["minhash"].to_pylist()))
    if not found:
        return
    rows = originals.select(_VERSION_COLUMNS).take(pa.array(np.unique([theirs for theirs, _, _ in found]))).to_pylist()
    by_place = dict(zip(sorted({theirs for theirs, _, _ in found}), rows, strict=True))
    for theirs, digest, similar in found:
        row = by_place[theirs]
        earlier.near.setdefault(digest, []).append(Original(_commit_order(row), row["article_id"], similar))


def _add_version(earlier: EarlierRows, row: dict[str, object]) -> None:
    """Keep the row if it is the latest version of its article, and if it is the latest of its page where the article has several."""
    pointer = WarcPointer(*(row[name] for name in ("warc_filename", "warc_record_offset", "warc_record_length", "content_digest")))  # type: ignore[arg-type]
    names = ("version", "sequence", "url", "host", "text_digest", "crawl", "code_version", "memory_version", "crawl_run", "fetched_at")
    values = {name: row[name] for name in names}
    version = Version(pointer=pointer, highest=row["version"], **values)  # type: ignore[arg-type]
    article, known = str(row["article_id"]), earlier.versions.get(str(row["article_id"]))
    if known is None:
        earlier.versions[article] = version
        return
    if known.url != version.url or (article, version.url) in earlier.page_versions:
        for one in (known, version):
            of_page = earlier.page_versions.get((article, one.url))
            earlier.page_versions[article, one.url] = one if of_page is None else _later(one, of_page)
    earlier.versions[article] = replace(_later(version, known), highest=max(version.highest, known.highest))


def _later(one: Version, other: Version) -> Version:
    """The version that was fetched later: numbers are in the order of publishing."""
    return one if (one.fetched_at, one.version, one.sequence) > (other.fetched_at, other.version, other.sequence) else other


def _commit_order(row: dict[str, object]) -> CommitOrder:
    return row["sequence"], row["fetched_at"], row["warc_filename"], row["warc_record_offset"]  # type: ignore[return-value]
