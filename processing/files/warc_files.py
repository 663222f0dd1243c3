"""Extract the articles of any WARC files into one Parquet or JSON Lines file: one row per response record, rejected ones too.

Or into a folder of Markdown files, one for each article (`markdown_files`).

There are two passes. First each page is read once and staged in a folder next to the output. Then the site memory, which has learned from
all pages, cleans the staged blocks, and the rows are written. Staged rows survive a kill; the output appears whole or not at all.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from processing.article.article import read_article
from processing.article.markdown.align import markup_of
from processing.article.structure.walk import read_structure
from processing.article.tree.parse import parse
from processing.clean.cleaning import markdown_columns
from processing.clean.language import detect_language
from processing.clean.site_memory import SiteMemory
from processing.extract.extracted_rows import article_columns
from processing.extract.page_tasks import ReadPage
from processing.extract.reading import page_of
from processing.extract.rejections import reason_of, type_of
from processing.files.markdown_files import MARKDOWN_FOLDER, refuse_files, write_markdown_files
from processing.files.warc_sources import WarcSource, find_sources
from processing.staging.staging import MARKUP, METADATA_COLUMNS, Row, block_characters, blocks_of, in_chunks, markup_of_row, stored_blocks
from processing.workers.heap import bound_heap
from processing.workers.pool import Exceeded, Limits, run_limited
from schemas.article import Article, PageType, plain_text
from schemas.errors import ConfigError, StorageError
from schemas.outcomes import Reason, Rejected
from schemas.page import Page
from schemas.tables import ARTICLES, BLOCK, TIMESTAMP
from schemas.web.ai_preferences import header_preferences
from storage.urls.host_key import host_key
from storage.warc.reader import Record, read_records

_RECORD_COLUMNS = [
    pa.field("url", pa.string(), nullable=False),
    pa.field("status", pa.string(), nullable=False),  # article | rejected
    pa.field("reason", pa.string()),
    pa.field("detail", pa.string()),
    pa.field("page_type", pa.string()),
    pa.field("fetched_at", TIMESTAMP),
    pa.field("fetch_status", pa.int16()),
    pa.field("warc_filename", pa.string(), nullable=False),
    pa.field("warc_record_offset", pa.int64(), nullable=False),
    pa.field("warc_record_length", pa.int64()),
    pa.field("content_usage", pa.string()),
    pa.field("content_signal", pa.string()),
]
_METADATA_FIELDS = [ARTICLES.field(name).with_nullable(True) for name in METADATA_COLUMNS]
_TEXT_FIELDS = [pa.field("container", pa.string()), pa.field("blocks", pa.list_(BLOCK)), pa.field("markup", pa.list_(MARKUP))]
STAGED = pa.schema([*_RECORD_COLUMNS, *_METADATA_FIELDS, *_TEXT_FIELDS])
_TIMES = ("published_at", "modified_at")
OUTPUT = pa.schema(
    [
        *_RECORD_COLUMNS[:5],
        # ISO 8601, in the zone that the page wrote
        *(pa.field(field.name, pa.string()) if field.name in _TIMES else field for field in _METADATA_FIELDS),
        pa.field("published_at_utc", TIMESTAMP),
        pa.field("language", pa.string()),
        pa.field("text", pa.string()),
        pa.field("furniture_blocks", pa.int32()),
        pa.field("blocks", pa.list_(BLOCK)),
        *_RECORD_COLUMNS[5:],
    ]
)


def extract_files(
    paths: Sequence[Path],
    output: Path,
    site_memory: bool = True,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    passed_over: Counter[str] | None = None,
    markdown: bool = False,
    chunks: int | None = None,
) -> dict[str, int]:
    """Write one row per response record of the WARC files to `output` (.parquet or .jsonl); the counts by `article` and reason.

    If `output` ends in .md, it is a folder with a Markdown file for each article. `markdown` adds a column with the Markdown to rows,
    `chunks` one with its parts of at most so many characters.

    With `site_memory`, blocks that recur on several pages of a host are removed. A WACZ is read as the WARC files in it. `progress`
    is called with the bytes read and their total. In `passed_over` the records are counted that are no web pages, by kind and type.
    A call after a kill continues with the staged rows. Pages that are not articles have the status `rejected`, and text and metadata if
    these were found.
    Raises NotFoundError for a missing file, ConfigError for another kind of output or a folder with files, StorageError for a
    full disk.
    """
    bound_heap()
    wanted = _Wanted(markdown or output.suffix == MARKDOWN_FOLDER, chunks)
    write = _writer(output, wanted)
    sources = [source for path in paths for source in find_sources(path)]
    parts = output.with_name(output.name + ".parts")
    try:
        parts.mkdir(parents=True, exist_ok=True)
        staged = _stage_all(sources, parts, workers, progress or (lambda *_: None), markup=wanted.markup)
        memory = _learn(staged) if site_memory else None
        counts: Counter[str] = Counter()
        write(output, _counted((_output_row(row, memory, wanted) for row in _read(staged)), counts))
    except OSError as error:
        raise StorageError(f"{output} cannot be written: {error}. Free the disk or choose another place, then run it again.") from error
    if passed_over is not None:
        for mark in sorted(parts.glob("*.done")):
            passed_over.update(json.loads(mark.read_text(encoding="utf-8") or "{}"))
    shutil.rmtree(parts)
    return dict(sorted(counts.items()))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The columns that are asked for."""

    markdown: bool = False
    chunks: int | None = None

    @property
    def markup(self) -> bool:
        """Whether pages are read with their inline elements, lists and images."""
        return self.markdown or self.chunks is not None


def read_row(record: Record, *, markup: bool = False) -> Row:
    """One response record as a staged row. Runs inside a page worker."""
    page = page_of(record, record.capture.kind, record.capture.hints)
    tree = None if isinstance(page, Rejected) else parse(page.html, page.utf8)
    result = page if isinstance(page, Rejected) else read_article(page, tree=tree)
    if markup and tree is not None and isinstance(page, Page) and isinstance(result, Article):
        result = replace(result, markup=markup_of(result.blocks, read_structure(tree, page.url)))
    if isinstance(page, Rejected) or isinstance(result, Rejected):
        row = _rejected_row(record, result.reason, result.detail) if isinstance(result, Rejected) else {}
        return row if isinstance(page, Rejected) else row | {"charset": page.charset, "charset_source": page.charset_source}
    row = _record_row(record) | article_columns(ReadPage(result, page.charset, page.charset_source))
    if result.page_type is PageType.ARTICLE:
        return row | {"status": "article"}
    return row | {"status": "rejected", "reason": str(reason_of(result.page_type))}


def _stage_all(
    sources: Sequence[WarcSource], parts: Path, workers: int | None, progress: Callable[[int, int], None], *, markup: bool
) -> list[Path]:
    """Stage every file; the chunks of all files, in order. A file that is given twice is read twice."""
    sizes = [source.size for source in sources]
    staged: list[Path] = []
    for number, source in enumerate(sources):
        before = sum(sizes[:number])
        name = f"{number:05d}-{source.identity}{'-markup' if markup else ''}"
        for chunk in _stage(source, parts, name, workers, markup=markup):
            staged.append(chunk.path)
            progress(before + chunk.read_bytes, sum(sizes))
        progress(before + sizes[number], sum(sizes))
    return staged


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A staged chunk, and how many bytes of its WARC file were read when it was written."""

    path: Path
    read_bytes: int


def _stage(source: WarcSource, parts: Path, name: str, workers: int | None, *, markup: bool) -> Iterator[_Chunk]:
    """Stage one file in chunks, each whole or absent. A file `.done` says that the last one is written."""
    mark = parts / f"{name}.done"
    finished = sorted(parts.glob(f"{name}.*.parquet"))
    for chunk in finished:
        yield _Chunk(chunk, 0)
    if mark.exists():
        return
    passed_over: Counter[str] = Counter()
    with source.open() as stream:
        read = sum(pq.read_metadata(chunk).num_rows for chunk in finished)
        rows = _rows(islice(_responses(stream, source.name, passed_over), read, None), workers, markup=markup)
        for number, chunk_rows in enumerate(in_chunks(rows, block_characters), len(finished)):
            target = parts / f"{name}.{number:06d}.parquet"
            _write_chunk(pa.Table.from_pylist(chunk_rows, schema=STAGED), target)
            yield _Chunk(target, stream.tell())
    mark.write_text(json.dumps(passed_over), encoding="utf-8")


def _responses(stream: Any, filename: str, passed_over: Counter[str]) -> Iterator[Record | Rejected]:  # Any: a binary file
    """The response, resource and conversion records, and the damaged ones. A revisit has no page."""
    with_page = {"response", "resource", "conversion"}
    records = read_records(stream, filename, passed_over=passed_over)
    return (one for one in records if isinstance(one, Rejected) or one.record_type in with_page)


def _rows(records: Iterable[Record | Rejected], workers: int | None, *, markup: bool) -> Iterator[Row]:
    function = "stage_row_with_markup" if markup else "stage_row"
    for record, result in run_limited(records, f"processing.files.warc_files.{function}", workers, Limits()):
        if isinstance(result, Exceeded) and isinstance(record, Record):
            yield _rejected_row(record, result.reason, result.detail)
        elif isinstance(result, dict):
            yield result


def stage_row(record: Record | Rejected) -> Row:
    """A record or a damaged one as a staged row. Runs inside a page worker."""
    return _damaged_row(record) if isinstance(record, Rejected) else read_row(record)


def stage_row_with_markup(record: Record | Rejected) -> Row:
    """The same, with each block as Markdown. Runs inside a page worker."""
    return _damaged_row(record) if isinstance(record, Rejected) else read_row(record, markup=True)


def _record_row(record: Record) -> Row:
    preferences = header_preferences(record.capture.response_headers).combined(record.capture.preferences)
    return {
        "url": record.capture.url,
        "fetched_at": record.capture.fetched_at if record.is_dated else None,
        "fetch_status": record.capture.status,
        "warc_filename": record.pointer.warc_filename,
        "warc_record_offset": record.pointer.warc_record_offset,
        "warc_record_length": record.pointer.warc_record_length,
        "content_usage": preferences.usage,
        "content_signal": preferences.signal,
    }


def _rejected_row(record: Record, reason: Reason, detail: str) -> Row:
    return _record_row(record) | {"status": "rejected", "reason": str(reason), "detail": detail or None, "page_type": type_of(reason)}


def _damaged_row(result: Rejected) -> Row:
    return {
        "url": result.url,
        "status": "rejected",
        "reason": str(result.reason),
        "detail": result.detail or None,
        "warc_filename": result.warc_filename,
        "warc_record_offset": result.warc_record_offset,
    }


def _learn(staged: Iterable[Path]) -> SiteMemory:
    """The site memory of all pages with an article."""
    memory, now = SiteMemory(), datetime.now(UTC)
    for row in _read(staged, ["url", "status", "fetched_at", "blocks", "container"]):
        if row["status"] == "article":
            memory.learn(host_key(row["url"]), row["url"], blocks_of(row["blocks"]), row["fetched_at"] or now, row["container"])
    return memory


def _output_row(row: Row, memory: SiteMemory | None, wanted: _Wanted) -> Row:
    """A staged row with its blocks cleaned, its text and its language, and its Markdown if it is wanted."""
    row = row | {"published_at_utc": row["published_at"], **{name: _iso_time(row[name], row["published_zone"]) for name in _TIMES}}
    if row["blocks"] is None:
        return row
    read = blocks_of(row["blocks"])
    blocks, boilerplate, confidence = read, 0, row["confidence"]
    if memory is not None and row["status"] == "article":
        host = host_key(row["url"])
        blocks, removed = memory.clean(host, row["url"], blocks)
        boilerplate, confidence = len(removed), memory.adjusted_confidence(host, row["container"], confidence)
    text = plain_text(tuple(blocks))
    cleaned = {"text": text, "language": detect_language(text, row["language_declared"])}
    cleaned |= markdown_columns(read, blocks, markup_of_row(row), markdown=wanted.markdown, chunks=wanted.chunks)
    return row | cleaned | {"blocks": stored_blocks(blocks), "furniture_blocks": boilerplate, "confidence": confidence}


def _counted(rows: Iterable[Row], counts: Counter[str]) -> Iterator[Row]:
    for row in rows:
        counts[row["reason"] or "article"] += 1
        yield row


def _read(staged: Iterable[Path], columns: list[str] | None = None) -> Iterator[Row]:
    for path in staged:
        yield from pq.read_table(path, columns=columns).to_pylist()


def _writer(output: Path, wanted: _Wanted) -> Callable[[Path, Iterator[Row]], None]:
    asked = [("markdown", wanted.markdown), ("chunks", wanted.chunks is not None)]
    schema = pa.schema([*OUTPUT, *(ARTICLES.field(name) for name, is_asked in asked if is_asked)])
    if output.suffix == MARKDOWN_FOLDER:
        refuse_files(output)
        return write_markdown_files
    if output.suffix == ".parquet":
        return lambda path, rows: _write_parquet(path, rows, schema)
    if output.suffix == ".jsonl":
        return lambda path, rows: _write_jsonl(path, rows, schema)
    raise ConfigError(f"{output} must end in .parquet, .jsonl or .md (a folder of Markdown files).")


def _write_parquet(output: Path, rows: Iterator[Row], schema: pa.Schema) -> None:
    temporary = output.with_name(output.name + ".tmp")
    with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for chunk in in_chunks(rows, block_characters):
            writer.write_table(pa.Table.from_pylist(chunk, schema=schema))
    temporary.replace(output)


def _write_jsonl(output: Path, rows: Iterator[Row], schema: pa.Schema) -> None:
    """Write one JSON object per line."""
    temporary = output.with_name(output.name + ".tmp")
    with temporary.open("w", encoding="utf-8") as out:
        for row in rows:
            ordered = {name: row.get(name) for name in schema.names}
            out.write(json.dumps(ordered, ensure_ascii=False, default=lambda moment: moment.isoformat()) + "\n")
    temporary.replace(output)


def _iso_time(moment: datetime | None, zone: str | None) -> str | None:
    """A time as ISO 8601, in the zone that the page wrote, otherwise in UTC."""
    if moment is None or zone is None:
        return moment.isoformat() if moment else None
    return moment.astimezone(datetime.fromisoformat(f"2000-01-01T00:00{zone}").tzinfo).isoformat()


def _write_chunk(table: pa.Table, target: Path) -> None:
    temporary = target.with_suffix(".tmp")
    pq.write_table(table, temporary, compression="zstd")
    temporary.replace(target)
