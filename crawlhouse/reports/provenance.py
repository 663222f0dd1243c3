"""Where each field of a row came from: what the row says of it, and where it stands on the stored page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawlhouse.rows import Row
from schemas.config.settings import Settings
from schemas.errors import ConfigError, NotFoundError, StorageError
from schemas.page import Hints

if TYPE_CHECKING:
    from crawlhouse.reports.url_report import UrlReport
    from schemas.config.crawl import SiteRules

UNREADABLE = "the stored page cannot be read"


def field_provenance(settings: Settings, found: UrlReport) -> dict[str, str]:
    """The sources of the fields that the shown row has, in words, and that of the page type."""
    row, outcome = found.article or found.quarantined or {}, found.outcome() or {}
    origins = _sources_on_page(settings, found, row | {"page_type": outcome.get("page_type")})
    told = _sources_in_row(row, origins.pop("container", "")) if row else {}
    return {name: source for name, source in (origins | told).items() if source}


def _sources_in_row(row: Row, container: str) -> dict[str, str]:
    """What the row itself says of its fields' sources."""
    memory = row["memory_version"]
    furniture = "no site memory" if memory is None else f"{row['furniture_blocks'] or 0} blocks taken away by site memory {memory}"
    path = f"{row['extraction_path']} {container}".strip()
    zone = f", zone {row['published_zone']}" if row["published_zone"] else ""
    return {
        "published_at": f"{row['published_at_source'] or ''}{zone}",
        "modified_at": row["modified_at_source"] or "",
        "language": f"the text; the page declares {row['language_declared'] or 'none'}",
        "text": f"{path}, confidence {row['confidence'] or 0:.2f}; {furniture}",
        "charset": row["charset_source"] or "",
        "version": row["crawl_run"],
        "duplicate_of": f"{row['duplicate_kind']}, similarity {row['duplicate_similarity']:.2f}" if row["duplicate_of"] else "",
    }


def _sources_on_page(settings: Settings, found: UrlReport, values: Row) -> dict[str, str]:
    """Where the values stand on the stored page."""
    from processing.article.provenance import TRACED_FIELDS
    from processing.extract.limited_pages import ShownPage, provenance_limited

    wanted = {name: value for name in TRACED_FIELDS if (value := values.get(name)) not in (None, "", [])}
    if not wanted:
        return {}
    if found.record is None:
        return dict.fromkeys(wanted, UNREADABLE)
    row = wanted | {"text": values.get("text")}
    origins = provenance_limited(ShownPage(found.record, _hints(settings, found), _rules(settings, found), row))
    return dict.fromkeys(wanted, f"{UNREADABLE}: {origins}") if isinstance(origins, str) else origins


def _hints(settings: Settings, found: UrlReport) -> Hints:
    """What a feed or a sitemap said of the page; nothing where the segment's capture index cannot be read."""
    from schemas.keys import index_key_of
    from storage.index.rows import read_index
    from storage.objects.open import open_store

    pointer = found.pointer
    try:
        rows = read_index(open_store(settings).get_bytes(index_key_of(pointer.warc_filename)))
    except StorageError:
        return Hints()
    return next((row.hints for row in rows if row.warc_record_offset == pointer.warc_record_offset), Hints())


def _rules(settings: Settings, found: UrlReport) -> SiteRules | None:
    """The site rules of the crawl for the page's host, as they are now; none where it has no file any more."""
    from processing.article.site_rules import rules_for
    from schemas.config.crawl_file import find_crawl
    from storage.urls.host_key import host_key

    row = found.article or found.quarantined or found.captures[0]
    try:
        return rules_for(host_key(found.url), find_crawl(row["crawl"], settings.crawls).articles.rules)
    except (ConfigError, NotFoundError):
        return None
