"""Say in which crawl run an article was seen on which page, and since when it is gone: the rows of `sightings` for `articles`.

A page that gave an article, also an unchanged one (304), has seen it; the first version of an article needs no row for that. An article is
gone when each of its pages answered 404 or 410, or was read again in full and has no article any more. A page that was not fetched, not
read in full or quarantined says nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

import pyarrow as pa

from processing.known.known_lake import KnownLake
from processing.known.row_sightings import KeyPages, Sighting
from processing.resolve.earlier_dataset_rows import read_row_sightings
from processing.resolve.earlier_rows import EarlierRows
from processing.resolve.records import WITH_ARTICLE, Decision, RecordId, RecordSummary
from processing.resolve.replaced import is_after, sighting_order
from processing.resolve.run_records import NOT_FOUND, UNREAD
from schemas.keys import crawl_run_of
from schemas.outcomes import Outcome
from schemas.runs import ProcessRun
from schemas.tables import SIGHTINGS

ARTICLES = "articles"
WRITE_ROWS = 1_000
SOME_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # the pages of an article depend on the order of sightings, not on their times

PageTimes = dict[str, datetime]  # by URL


@dataclass(frozen=True, slots=True)
class _Absence:
    """A page that has no article, though it had one."""

    article_id: str
    url: str
    at: datetime


def article_sightings(
    run: ProcessRun, summaries: Sequence[RecordSummary], decisions: Mapping[RecordId, Decision], earlier: EarlierRows, known: KnownLake
) -> Iterator[pa.Table]:
    """The rows of `sightings` for the articles of a run, crawl run by crawl run."""
    absences = _absences(run, summaries, decisions, earlier)
    affected = {absence.article_id for found in absences.values() for absence in found}
    pages = _pages_of(run, affected, absences, earlier, known) if affected else {}
    of_runs: dict[str, list[RecordSummary]] = {}
    for summary in summaries:
        of_runs.setdefault(crawl_run_of(summary.record_id[0]), []).append(summary)
    rows = (row for crawl_run in run.crawl_runs for row in _run_rows(crawl_run, of_runs.get(crawl_run, []), decisions, absences, pages))
    yield from _tables(run, rows)


def _absences(
    run: ProcessRun, summaries: Sequence[RecordSummary], decisions: Mapping[RecordId, Decision], earlier: EarlierRows
) -> dict[str, list[_Absence]]:
    """The pages that have their article no more, by crawl run."""
    places = {crawl_run: place for place, crawl_run in enumerate(run.crawl_runs)}
    gone = {summary.url for summary in summaries if _has_no_article(summary, decisions)}
    found: dict[str, list[_Absence]] = {}
    articles = {url: earlier.article_of(url) for url in gone}
    ordered = sorted(
        (one for one in summaries if one.url in gone), key=lambda one: (places[crawl_run_of(one.record_id[0])], one.fetch_order)
    )
    for summary in ordered:
        article = articles[summary.url]
        if decisions[summary.record_id].outcome in WITH_ARTICLE:
            articles[summary.url] = decisions[summary.record_id].article_id
        elif article is not None and _has_no_article(summary, decisions):
            found.setdefault(crawl_run_of(summary.record_id[0]), []).append(_Absence(article, summary.url, summary.fetched_at))
    return found


def _has_no_article(summary: RecordSummary, decisions: Mapping[RecordId, Decision]) -> bool:
    """Whether the page says that it has no article: it is not found, or was read in full."""
    if summary.is_revisit or summary.article_id is not None or decisions[summary.record_id].outcome is not Outcome.REJECTED:
        return False
    return summary.status in NOT_FOUND or summary.reason not in UNREAD


def _pages_of(
    run: ProcessRun, articles: Collection[str], absences: Mapping[str, Sequence[_Absence]], earlier: EarlierRows, known: KnownLake
) -> dict[str, KeyPages]:
    """The pages of articles, as the lake has them: those of their versions and of their sightings, in the order of the crawl runs.

    Earlier releases have no sightings: pages that were known to have an article come first.
    """
    pages = {article: KeyPages() for article in articles}
    for absence in (one for found in absences.values() for one in found):
        if earlier.article_of(absence.url) == absence.article_id:
            pages[absence.article_id].pages.add(absence.url)
    events = [
        (article, sighting_order(version.crawl_run, version.sequence), Sighting(version.url, seen_at=SOME_TIME))
        for article, version in [*earlier.versions.items(), *((key[0], version) for key, version in earlier.page_versions.items())]
        if article in pages
    ]
    for table in read_row_sightings(known, ARTICLES, articles, lambda crawl_run: not is_after(run, crawl_run)):
        for row in table.to_pylist():
            found = Sighting(row["url"], row["seen_at"], row["gone_at"])
            events.append((row["row_id"], sighting_order(row["crawl_run"], row["sequence"]), found))
    events.sort(key=lambda event: event[:2])
    for (article, _), group in groupby(events, key=lambda event: event[:2]):
        pages[article].apply(event[2] for event in group)
    return pages


def _run_rows(
    crawl_run: str,
    summaries: Iterable[RecordSummary],
    decisions: Mapping[RecordId, Decision],
    absences: Mapping[str, Sequence[_Absence]],
    pages: Mapping[str, KeyPages],
) -> Iterator[dict[str, object]]:
    seen: dict[str, PageTimes] = {}
    first: set[tuple[str, str]] = set()  # articles and pages of first versions
    for summary in summaries:
        decision = decisions[summary.record_id]
        if decision.outcome not in WITH_ARTICLE or decision.article_id is None:
            continue
        is_first = decision.version == 1 and decision.outcome is not Outcome.KNOWN
        if decision.article_id in pages:
            seen.setdefault(decision.article_id, {})[summary.url] = summary.fetched_at
            if is_first:
                first.add((decision.article_id, summary.url))
        elif not is_first:
            yield _row(crawl_run, decision.article_id, Sighting(summary.url, seen_at=summary.fetched_at))
    absent: dict[str, PageTimes] = {}
    for absence in absences.get(crawl_run, ()):
        absent.setdefault(absence.article_id, {})[absence.url] = absence.at
    for article in sorted({*seen, *absent}):
        found = list(_sightings(pages[article], seen.get(article, {}), absent.get(article, {})))
        pages[article].apply(found)
        yield from (_row(crawl_run, article, one) for one in found if (article, one.url) not in first)


def _sightings(pages: KeyPages, seen: PageTimes, absent: PageTimes) -> Iterator[Sighting]:
    """What one crawl run says of an article.

    Other than a key of a list, an article does not move between its pages, so they need not all be read in one crawl run.
    """
    yield from (Sighting(url, seen_at=at) for url, at in sorted(seen.items()))
    without = sorted(url for url in absent if url in pages.pages and url not in seen)
    if without and not seen and pages.pages <= pages.left | set(without):
        yield Sighting(gone_at=max(absent[url] for url in without))
    else:
        yield from (Sighting(url) for url in without if url not in pages.left)


def _row(crawl_run: str, article: str, found: Sighting) -> dict[str, object]:
    return {"row_id": article, "crawl_run": crawl_run, "seen_at": found.seen_at, "gone_at": found.gone_at, "url": found.url}


def _tables(run: ProcessRun, rows: Iterable[dict[str, object]]) -> Iterator[pa.Table]:
    same = {"dataset": ARTICLES, "process_run": run.process_run, "sequence": None}  # it stands in `runs`
    pending: list[dict[str, object]] = []
    for row in rows:
        pending.append(row | same)
        if len(pending) == WRITE_ROWS:
            yield pa.Table.from_pylist(pending, schema=SIGHTINGS)
            pending = []
    if pending:
        yield pa.Table.from_pylist(pending, schema=SIGHTINGS)
