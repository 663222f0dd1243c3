"""The page of a record: search, the row beside its archived page, where each field came from, and what became of each visit."""

from __future__ import annotations

from collections.abc import Callable

from crawlhouse.pages.archived import archived_page
from crawlhouse.pages.lake import read_lake
from crawlhouse.pages.site import Site, render
from crawlhouse.reports.making import making_of
from crawlhouse.reports.provenance import field_provenance
from crawlhouse.reports.url_report import UrlReport, read_url_report
from schemas.config.settings import Settings
from schemas.errors import StorageError

MOST_FOUND = 50
FOUND = f"""
SELECT url, host, title, fetched_at, crawl FROM articles_latest
WHERE host = $1 OR contains(lower(title), lower($1)) OR contains(url, $1) ORDER BY fetched_at DESC LIMIT {MOST_FOUND}
"""  # noqa: S608 a number
CAPTURES = f"""
SELECT url, any_value(host) AS host, NULL AS title, max(fetched_at) AS fetched_at, any_value(crawl) AS crawl FROM captures
WHERE host = $1 OR contains(url, $1) GROUP BY url ORDER BY fetched_at DESC LIMIT {MOST_FOUND}
"""  # noqa: S608 a number
NOT_SHOWN = frozenset({"text", "blocks", "minhash", "chunks", "markdown", "sequence", "ingested_at"})


def render_search(settings: Settings, site: Site, words: str) -> str:
    """The page of what a search finds, by a part of the URL, the host, or words of the title."""
    with read_lake(settings) as lake:
        rows = lake.rows(FOUND, words) if words else []
        known = {row["url"] for row in rows}
        rows += [row for row in lake.rows(CAPTURES, words) if row["url"] not in known] if words else []
        problem = lake.problem
    return render("search.html", site, title="Records", place="record", words=words, rows=rows[:MOST_FOUND], problem=problem)


def render_record(settings: Settings, site: Site, url: str, check: Callable[[str], None]) -> str:
    """The page of what is known of a URL. `check` raises if its crawl may not be seen. Raises NotFoundError, StorageError."""
    report = read_url_report(settings, url)
    check(str(report.captures[0]["crawl"]))
    row = report.article or report.quarantined or {}
    sources = field_provenance(settings, report)
    facts = [(name, value, sources.get(name, "")) for name, value in row.items() if name not in NOT_SHOWN and value not in (None, [], "")]
    return render(
        "record.html",
        site,
        title=report.url,
        place="record",
        report=report,
        row=row,
        facts=facts,
        text_source=sources.get("text", ""),
        page_type=sources.get("page_type", ""),
        making=making_of(settings, report),
    )


def render_archived(settings: Settings, url: str, check: Callable[[str], None]) -> str:
    """The archived page of a URL, without anything that could run or load. Raises NotFoundError, StorageError."""
    report: UrlReport = read_url_report(settings, url)
    check(str(report.captures[0]["crawl"]))
    if report.record is None:
        raise StorageError(report.archive_problem)
    return archived_page(report.record)
