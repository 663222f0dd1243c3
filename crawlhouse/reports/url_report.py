"""Reads everything that the lake has of one URL, and the stored capture that it was made from."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawlhouse.rows import Row
from crawlhouse.sql.query import open_lake_for_reading, open_lake_for_url, read_rows
from processing.extract.referred_records import read_page_record
from schemas.config.settings import Settings
from schemas.errors import NotFoundError, StorageError
from schemas.page import WarcPointer
from storage.lake.takedown import read_takedowns
from storage.objects.open import open_store
from storage.warc.reader import Record

if TYPE_CHECKING:
    import duckdb

MAX_CAPTURES = 20  # as many as fit on a screen
COMPARED_URLS = 1_000
MAX_COMPARED = 500  # characters of a URL
PARTS = 4  # into which a URL is cut to find similar ones

# Rows are found by narrow columns first: a row has some 50 columns, and one of them holds the text. `{row}` is the place of one row.
BY_URL = "SELECT {place} FROM articles WHERE url = $1 ORDER BY version DESC, sequence DESC LIMIT 1"
BY_CANONICAL_URL = "SELECT {place} FROM articles WHERE canonical_url = $1 ORDER BY version DESC, sequence DESC LIMIT 1"
IN_QUARANTINE = "SELECT {place} FROM quarantine WHERE url = $1 ORDER BY sequence DESC LIMIT 1"
PLACE = ("fetched_at", "url", "warc_filename", "warc_record_offset", "process_run")  # of a row; the day and the URL say in which files
ROW = "SELECT * FROM {table} WHERE fetched_at = $1 AND url = $2 AND warc_filename = $3 AND warc_record_offset = $4 AND process_run = $5"
CAPTURES = f"SELECT * FROM captures WHERE url = $1 ORDER BY fetched_at DESC, sequence DESC LIMIT {MAX_CAPTURES}"  # noqa: S608 a number
VERSIONS = (
    "SELECT version, fetched_at, title, text_length, crawl_run, code_version FROM articles WHERE article_id = $1 ORDER BY version, sequence"
)
NEWEST = "fetched_at DESC, version DESC, sequence DESC"  # as in articles_latest
ORIGINAL = f"SELECT url FROM articles WHERE article_id = $1 ORDER BY {NEWEST} LIMIT 1"  # noqa: S608 our own names
DUPLICATES = f"""
SELECT url, duplicate_kind, duplicate_similarity FROM (
  SELECT *, row_number() OVER (PARTITION BY article_id ORDER BY {NEWEST}) AS place
  FROM (SELECT article_id, url, duplicate_of, duplicate_kind, duplicate_similarity, fetched_at, version, sequence FROM articles
        SEMI JOIN (SELECT article_id FROM articles WHERE duplicate_of = $1) USING (article_id))
) WHERE place = 1 AND duplicate_of = $1 ORDER BY url
"""  # noqa: S608 our own names
# First by parts of the URL, which is quick; the exact distance is for the best of them.
SIMILAR = f"""
SELECT url FROM (
  SELECT DISTINCT url FROM captures WHERE url <> ''  -- an erased one has none
  ORDER BY list_sum([starts_with(url, part)::INT FOR part IN $2]) + list_sum([ends_with(url, part)::INT FOR part IN $3]) DESC, url
  LIMIT {COMPARED_URLS}
) ORDER BY levenshtein(url[:{MAX_COMPARED}], $1), url LIMIT 3
"""  # noqa: S608 numbers


@dataclass(frozen=True, slots=True)
class UrlReport:
    """What is known of a URL. `article` is its last version, `quarantined` its last quarantined row; either may be missing.

    `captures` are the last 20 of this URL, newest first. `record` is the WARC record of the article's capture, or of the newest capture;
    for a revisit it is the record that this refers to. It is None when it cannot be read; `archive_problem` then says why.
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
        """The row of `captures` that belongs to `record`."""
        shown = (self.pointer.warc_filename, self.pointer.warc_record_offset)
        return next((row for row in self.captures if (row["warc_filename"], row["warc_record_offset"]) == shown), None)


def read_url_report(settings: Settings, url: str) -> UrlReport:
    """Read what lake and archive have of a URL. Raises NotFoundError, with similar URLs, when they have nothing."""
    lake = open_lake_for_url(settings, url)
    article = _row(lake, "articles", BY_URL, url) or _row(lake, "articles", BY_CANONICAL_URL, url)
    quarantined, captures = _row(lake, "quarantine", IN_QUARANTINE, url), read_rows(lake, CAPTURES, url)
    shown = article or quarantined or next(iter(captures), None)
    if shown is None:
        raise _not_found(url, settings)
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
    member = open_store(settings).read_range(pointer.warc_filename, pointer.warc_record_offset, pointer.warc_record_length)
    try:
        return zlib.decompress(member, wbits=31)
    except zlib.error as error:
        raise StorageError(f"{pointer.warc_filename} is damaged at offset {pointer.warc_record_offset}: {error}. Restore it.") from error


def decoded_html(record: Record) -> str:
    """The page of a record as text, its content coding and charset decoded. Raises StorageError when it is not text."""
    from processing.extract.limited_pages import ShownPage, html_limited

    decoded = html_limited(ShownPage(record))
    if isinstance(decoded, str):
        raise StorageError(f"The page cannot be shown as text: {decoded}. --raw shows it as it was received.")
    return decoded["html"]


def _record(settings: Settings, pointer: WarcPointer) -> tuple[Record | None, str]:
    try:
        return read_page_record(open_store(settings), pointer), ""
    except StorageError as error:
        return None, str(error)


def _not_found(url: str, settings: Settings) -> NotFoundError:
    if read_takedowns(open_store(settings)).covers(url):
        return NotFoundError(f"{url} is taken down. `crawlhouse takedown list` shows the entries, and why.")
    similar = "".join(f"\n  {row['url']}" for row in read_rows(open_lake_for_reading(settings), SIMILAR, *_comparison(url)))
    nothing = f"The lake has nothing of {url}." if "://" in url else f"{url} is no whole URL, like https://example.com/story."
    return NotFoundError(nothing + (f" The most similar URLs of the lake:{similar}" if similar else " The lake is empty."))


def _comparison(url: str) -> tuple[str, list[str], list[str]]:
    """What similar URLs are found by: the URL, and its beginnings and ends of several lengths."""
    text = url[:MAX_COMPARED]
    lengths = sorted({len(text) * part // PARTS for part in range(1, PARTS + 1)} | {len(text) - 1} - {0})
    return text, [text[:length] for length in lengths], [text[-length:] for length in lengths]


def _row(lake: duckdb.DuckDBPyConnection, table: str, query: str, url: str) -> Row | None:
    """The whole row of a table that a query names by its place."""
    place = _first_row(lake, query.format(place=", ".join(PLACE)), url)
    return _first_row(lake, ROW.format(table=table), *place.values()) if place else None


def _first_row(lake: duckdb.DuckDBPyConnection, sql: str, *parameters: object) -> Row | None:
    return next(iter(read_rows(lake, sql, *parameters)), None)
