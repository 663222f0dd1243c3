"""Read the rows of the lake that matter for a run's records: equal payloads, revisited captures, versions, exact and near originals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from processing.clean.identity import twin_urls, url_id
from processing.known.known_lake import KnownLake
from processing.resolve.near_duplicates import NearIndex
from processing.resolve.records import WITH_ARTICLE, RecordId, RecordSummary, TextRank, record_id_of, text_rank
from schemas.page import WarcPointer

LOOKED_UP = 2_000  # articles at a time: all versions of each are in memory then, and one may have thousands
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)

CommitOrder = tuple[int, TextRank]  # by the sequence of its publication; within one, as within a run: the smaller one is the original
Row = dict[str, Any]  # Any: the values of a row of a table


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
    """A text by which articles are compared: its digest and its signature."""

    digest: str
    signature: bytes | None


Order = tuple[datetime, int, RecordId]  # of captures: (fetched_at, sequence, record); one that is processed again has a later sequence


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


def read_earlier_rows(known: KnownLake, summaries: Sequence[RecordSummary], index: NearIndex, until: datetime | None = None) -> EarlierRows:
    """The rows that the lake has for these records. `index` has the signatures of the run's own texts.

    Captures and versions that were fetched after `until` count only as originals, and by their numbers.
    """
    earlier = read_earlier_captures(known, summaries, until)
    _add_articles(known, summaries, index, earlier, until)
    for found in (*earlier.exact.values(), *earlier.near.values()):
        found.sort(key=lambda original: (original.commit_order, -original.similarity))
    return earlier


def read_earlier_captures(known: KnownLake, summaries: Sequence[RecordSummary], until: datetime | None = None) -> EarlierRows:
    """What the lake's captures say of these records: `payloads`, `captures` and `pages`."""
    earlier = EarlierRows()
    _add_captures(known, summaries, earlier, until)
    return earlier


def _claimed_urls(summaries: Sequence[RecordSummary]) -> set[str]:
    return {summary.claimed_url for summary in summaries if summary.claimed_url is not None}


def _add_captures(known: KnownLake, summaries: Sequence[RecordSummary], earlier: EarlierRows, until: datetime | None) -> None:
    named = {url for claimed in _claimed_urls(summaries) for url in twin_urls(claimed)}
    urls = {summary.url for summary in summaries} | named
    for row, outcome in _outcomes(known.pages(urls, until), "url", urls):
        earlier.pages.setdefault(row["url"], EarlierPage()).add(outcome.article_id, _capture_order(row))
    payloads = {(summary.url, summary.content_digest) for summary in summaries}
    latest: dict[tuple[str, str], Order] = {}
    for row, outcome in _outcomes(known.payloads(payloads, until), "url", {url for url, _ in payloads}):
        payload, order = (row["url"], row["content_digest"]), _capture_order(row)
        if outcome.outcome in WITH_ARTICLE and payload in payloads and order >= latest.get(payload, order):
            latest[payload], earlier.payloads[payload] = order, outcome
    record_ids = {summary.refers_to for summary in summaries if summary.refers_to}
    for row, outcome in _outcomes(known.captures(record_ids, until), "warc_filename", {name for name, _ in record_ids}):
        if record_id_of(row) in record_ids:
            earlier.captures[record_id_of(row)] = outcome


def _outcomes(rows: pa.Table, column: str, values: Iterable[str]) -> Iterator[tuple[Row, EarlierOutcome]]:
    """The rows with one of the values, and what each capture was for `articles`. Captures of crawls that make none are left out."""
    for row in _having(rows, column, values).to_pylist():
        outcome = _article_outcome(row)
        if outcome is not None:
            yield row, outcome


def _having(rows: pa.Table, column: str, values: Iterable[str]) -> pa.Table:
    """The rows with one of these values: the index may give others too."""
    return rows.filter(pc.is_in(rows[column].cast(pa.string()), value_set=pa.array(set(values), pa.string())))


def _capture_order(row: Row) -> Order:
    return row["fetched_at"], row["sequence"], record_id_of(row)


def _article_outcome(row: Row) -> EarlierOutcome | None:
    """What a capture was for `articles`; None where its crawl makes none. The column `outcome` is the summary of all datasets."""
    if row["outcomes"] is None:  # in rows of earlier releases
        return EarlierOutcome(row["outcome"], row["reason"], row["article_id"], row["article_version"])
    for found in row["outcomes"]:
        if found["dataset"] == "articles":
            return EarlierOutcome(found["outcome"], row["reason"], row["article_id"], row["article_version"])
    return None


def _add_articles(
    known: KnownLake, summaries: Sequence[RecordSummary], index: NearIndex, earlier: EarlierRows, until: datetime | None
) -> None:
    claimed = {url_id(url) for url in _claimed_urls(summaries)}
    compared = claimed | {page.article_id for page in earlier.pages.values() if page.article_id is not None}
    named = {one.article_id for one in (*earlier.payloads.values(), *earlier.captures.values()) if one.article_id is not None}
    ids = {summary.article_id for summary in summaries if summary.article_id} | compared | named
    ordered = sorted(ids)
    for start in range(0, len(ordered), LOOKED_UP):
        some = ordered[start : start + LOOKED_UP]
        versions = _having(known.articles(some), "article_id", some)
        _add_versions(earlier, versions, until)
        if claimed:
            _add_texts(earlier, _having(versions, "article_id", compared))
    earlier.gone = named - earlier.versions.keys() - earlier.later.keys()
    digests = {summary.text_digest for summary in summaries if summary.text_digest}
    for row in _originals(_having(known.originals(digests), "text_digest", digests)).drop_columns(["signature"]).to_pylist():
        earlier.exact.setdefault(row["text_digest"], []).append(Original(_commit_order(row), row["article_id"]))
    _add_near_originals(_originals(known.similar_originals(index.stored)), index, earlier)


def _add_versions(earlier: EarlierRows, versions: pa.Table, until: datetime | None) -> None:
    """Add all versions of some articles."""
    order = [(name, "ascending") for name in ("article_id", "fetched_at", "version", "sequence")]
    for row in versions.drop_columns(["signature"]).sort_by(order).to_pylist():
        if until is not None and row["fetched_at"] > until:
            earlier.later[row["article_id"]] = max(row["version"], earlier.later.get(row["article_id"], 0))
        else:
            _add_version(earlier, row)


def _originals(rows: pa.Table) -> pa.Table:
    return rows.filter(pc.is_null(rows["duplicate_of"]))


def _add_texts(earlier: EarlierRows, rows: pa.Table) -> None:
    """Add the latest text of each article."""
    latest: dict[str, tuple[int, int]] = {}
    for row in rows.select(["article_id", "version", "sequence", "text_digest", "signature"]).to_pylist():
        order = (row["version"], row["sequence"])
        if order >= latest.get(row["article_id"], order):
            latest[row["article_id"]] = order
            earlier.texts[row["article_id"]] = [Text(row["text_digest"], row["signature"])]


def _add_near_originals(originals: pa.Table, index: NearIndex, earlier: EarlierRows) -> None:
    signed = originals.filter(pc.is_valid(originals["signature"]))
    rows = signed.drop_columns(["signature"]).to_pylist()
    for place, digest, similar in index.query(signed["signature"].to_pylist()):
        row = rows[place]
        earlier.near.setdefault(digest, []).append(Original(_commit_order(row), row["article_id"], similar))


def _add_version(earlier: EarlierRows, row: Row) -> None:
    """Keep the row if it is the latest version of its article, and if it is the latest of its page where the article has several."""
    pointer = WarcPointer(*(row[name] for name in ("warc_filename", "warc_record_offset", "warc_record_length", "content_digest")))
    names = ("version", "sequence", "url", "host", "text_digest", "crawl", "code_version", "memory_version", "crawl_run", "fetched_at")
    values = {name: row[name] for name in names}
    version = Version(pointer=pointer, highest=row["version"], **values)
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


def _commit_order(row: Row) -> CommitOrder:
    return row["sequence"], text_rank(row["crawl_run"], row["published_at"], row["url"], row["version"])
