"""All that the lake knows of one URL, beside the stored capture it came from."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawlhouse.rows import Row
from crawlhouse.sql.query import open_lake_for_reading, read_rows
from schemas.config.settings import Settings
from schemas.errors import NotFoundError, StorageError
from schemas.page import WarcPointer

if TYPE_CHECKING:
    import duckdb

    from storage.warc.reader import Record

MAX_CAPTURES = 20

ARTICLE = "SELECT * FROM articles WHERE url = $1 OR canonical_url = $1 ORDER BY (url = $1) DESC, version DESC, sequence DESC LIMIT 1"
QUARANTINED = "SELECT * FROM quarantine WHERE url = $1 ORDER BY sequence DESC LIMIT 1"
CAPTURES = f"SELECT * FROM captures WHERE url = $1 ORDER BY fetched_at DESC, sequence DESC LIMIT {MAX_CAPTURES}"  # noqa: S608 a number
VERSIONS = (
    "SELECT version, fetched_at, title, text_length, crawl_run, code_version FROM articles WHERE article_id = $1 ORDER BY version, sequence"
)
ORIGINAL = "SELECT url FROM articles_latest WHERE article_id = $1"
DUPLICATES = "SELECT url, duplicate_kind, duplicate_similarity FROM articles_latest WHERE duplicate_of = $1 ORDER BY url"
SIMILAR = "SELECT url FROM (SELECT DISTINCT url FROM captures) ORDER BY levenshtein(url[:500], $1) LIMIT 3"


@dataclass(frozen=True, slots=True)
class UrlReport:
    """What is known of a URL. `article` is its last version, `quarantined` its last row that did not pass; either may be missing.

    `captures` are the last 20 of this URL, the newest first. `record` is what the archive holds of the article's capture, or of the
    newest one; None when it cannot be read, for the reason in `archive_problem`.
    """

    url: str
    article: Row | None
    quarantined: Row | None
    captures: list[Row]
    versions: list[Row]
    original: str | None
    duplicates: list[Row]
    pointer: WarcPointer
    record: Record | None
    archive_problem: str

    def outcome(self) -> Row | None:
        """The row of `captures` that the shown record is."""
        shown = (self.pointer.warc_filename, self.pointer.warc_record_offset)
        return next((row for row in self.captures if (row["warc_filename"], row["warc_record_offset"]) == shown), None)


def read_url_report(settings: Settings, url: str) -> UrlReport:
    """What the lake and the archive have of a URL. Raises NotFoundError, naming similar URLs, when they have nothing."""
    lake = open_lake_for_reading(settings)
    article, quarantined, captures = _first_row(lake, ARTICLE, url), _first_row(lake, QUARANTINED, url), read_rows(lake, CAPTURES, url)
    shown = article or quarantined or next(iter(captures), None)
    if shown is None:
        raise _not_found(lake, url, settings)
    article_id = article["article_id"] if article else ""
    original = _first_row(lake, ORIGINAL, article["duplicate_of"]) if article and article["duplicate_of"] else None
    pointer = WarcPointer(*(shown[name] for name in ("warc_filename", "warc_record_offset", "warc_record_length", "content_digest")))
    record, problem = _record(settings, pointer)
    return UrlReport(
        url=shown["url"],
        article=article,
        quarantined=quarantined,
        captures=captures or read_rows(lake, CAPTURES, shown["url"]),
        versions=read_rows(lake, VERSIONS, article_id),
        original=original["url"] if original else None,
        duplicates=read_rows(lake, DUPLICATES, article_id),
        pointer=pointer,
        record=record,
        archive_problem=problem,
    )


def raw_record(settings: Settings, pointer: WarcPointer) -> bytes:
    """The WARC record as archived, its gzip member unpacked. Raises StorageError."""
    from storage.objects.open import open_store

    member = open_store(settings).read_range(pointer.warc_filename, pointer.warc_record_offset, pointer.warc_record_length)
    try:
        return zlib.decompress(member, wbits=31)
    except zlib.error as error:
        raise StorageError(f"{pointer.warc_filename} is damaged at offset {pointer.warc_record_offset}: {error}. Restore it.") from error


def decoded_html(record: Record) -> str:
    """The page of a record as text, its content coding and charset removed. Raises StorageError when it is no text."""
    from processing.extract.limited_pages import ShownPage, html_limited

    found = html_limited(ShownPage(record))
    if isinstance(found, str):
        raise StorageError(f"The page cannot be shown as text: {found}. --raw shows it as it was received.")
    return found["html"]


def _record(settings: Settings, pointer: WarcPointer) -> tuple[Record | None, str]:
    from storage.objects.open import open_store
    from storage.warc.reader import read_record_at

    try:
        return read_record_at(open_store(settings), pointer), ""
    except StorageError as error:
        return None, str(error)


def _not_found(lake: duckdb.DuckDBPyConnection, url: str, settings: Settings) -> NotFoundError:
    from storage.lake.takedown import read_takedowns
    from storage.objects.open import open_store

    if read_takedowns(open_store(settings)).covers(url):
        return NotFoundError(f"{url} is taken down. `crawlhouse takedown list` shows the entries, and why.")
    similar = "".join(f"\n  {row['url']}" for row in read_rows(lake, SIMILAR, url))
    return NotFoundError(f"The lake has nothing of {url}." + (f" The most similar URLs it has:{similar}" if similar else " It is empty."))


def _first_row(lake: duckdb.DuckDBPyConnection, sql: str, parameter: str) -> Row | None:
    return next(iter(read_rows(lake, sql, parameter)), None)
