"""Where each field of a row came from: what the row itself says, and where the value is on the stored page."""

from __future__ import annotations

from crawlhouse.reports.url_report import UrlReport
from crawlhouse.rows import Row
from processing.extract.limited_pages import ShownPage, markdown_limited, provenance_limited
from schemas.article import TRACED_FIELDS
from schemas.config.crawl import SiteRules
from schemas.config.crawl_file import find_crawl
from schemas.config.settings import Settings
from schemas.errors import ConfigError, NotFoundError, StorageError
from schemas.keys import index_key_of
from schemas.numbers import plural
from schemas.page import Hints
from storage.index.rows import read_index
from storage.objects.open import open_store
from storage.urls.host_key import host_key

UNREADABLE = "the stored page cannot be read"


def field_provenance(settings: Settings, report: UrlReport) -> dict[str, str]:
    """For each field of the reported row, and for the page type, where its value came from."""
    row, outcome = report.article or report.quarantined or {}, report.outcome() or {}
    on_page = _sources_on_page(settings, report, row | {"page_type": outcome.get("page_type")})
    in_row = _sources_in_row(row, on_page.pop("container", "")) if row else {}
    return {name: source for name, source in (on_page | in_row).items() if source}


def page_markdown(settings: Settings, report: UrlReport) -> str:
    """The main text of the reported page as Markdown: the row's column, or read from the stored capture. Raises StorageError."""
    row = report.article or report.quarantined
    if row and row.get("markdown"):
        return str(row["markdown"])
    if report.record is None:
        raise StorageError(report.archive_problem)
    shown = {"text": row["text"]} if row else None
    found = markdown_limited(ShownPage(report.record, _hints(settings, report), _rules(settings, report), shown))
    if isinstance(found, str):
        raise StorageError(f"{report.url} cannot be shown as Markdown: {found}. --html shows the page as it was received.")
    return found["markdown"]


def _sources_in_row(row: Row, container: str) -> dict[str, str]:
    """What the row's own columns say about the sources of its fields."""
    memory = row["memory_version"]
    boilerplate = "no site memory" if memory is None else f"{plural(row['furniture_blocks'] or 0, 'block')} removed by site memory {memory}"
    path = f"{row['extraction_path']} {container}".strip()
    zone = f", zone {row['published_zone']}" if row["published_zone"] else ""
    return {
        "published_at": f"{row['published_at_source'] or ''}{zone}",
        "modified_at": row["modified_at_source"] or "",
        "language": f"the text; the page declares {row['language_declared'] or 'none'}",
        "text": f"{path}, confidence {row['confidence'] or 0:.2f}; {boilerplate}",
        "charset": row["charset_source"] or "",
        "version": row["crawl_run"],
        "duplicate_of": f"{row['duplicate_kind']}, similarity {row['duplicate_similarity']:.2f}" if row["duplicate_of"] else "",
    }


def _sources_on_page(settings: Settings, report: UrlReport, values: Row) -> dict[str, str]:
    """Where the values are on the stored page. The page is read in a child process with limits."""
    wanted = {name: value for name in TRACED_FIELDS if (value := values.get(name)) not in (None, "", [])}
    if not wanted:
        return {}
    if report.record is None:
        return dict.fromkeys(wanted, UNREADABLE)
    row = wanted | {"text": values.get("text")}
    sources = provenance_limited(ShownPage(report.record, _hints(settings, report), _rules(settings, report), row))
    return dict.fromkeys(wanted, f"{UNREADABLE}: {sources}") if isinstance(sources, str) else sources


def _hints(settings: Settings, report: UrlReport) -> Hints:
    """What a feed or a sitemap said about the page. Nothing if the segment's capture index cannot be read."""
    pointer = report.pointer
    try:
        rows = read_index(open_store(settings).get_bytes(index_key_of(pointer.warc_filename)))
    except StorageError:
        return Hints()
    return next((row.hints for row in rows if row.warc_record_offset == pointer.warc_record_offset), Hints())


def _rules(settings: Settings, report: UrlReport) -> SiteRules | None:
    """The site rules of the crawl's file for the page's host, as they are now. None if the crawl has no file any more."""
    row = report.article or report.quarantined or report.captures[0]
    try:
        rules = find_crawl(row["crawl"], settings.crawls).articles.rules
    except (ConfigError, NotFoundError):
        return None
    if not rules:
        return None
    from processing.extract.page_tasks import rules_for

    return rules_for(host_key(report.url), rules)
