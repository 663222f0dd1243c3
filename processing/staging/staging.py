"""The staged rows of a process run: their schemas, and how Parquet is written to the store and read in small row groups.

An object appears in the store whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from runtime.scratch import scratch_folder
from schemas.article import Block, BlockKind, BlockMarkup, Container
from schemas.datasets.dataset import Dataset
from schemas.datasets.tables import table_schema
from schemas.tables import ARTICLES, CAPTURES, RUN_FIELDS
from storage.lake.parquet.layout import UNIQUE, leaf_columns
from storage.objects.store import ObjectStore

_KINDS = {kind.value: kind for kind in BlockKind}
RUN_COLUMNS = frozenset(field.name for field in RUN_FIELDS)
GROUP_ROWS = 1_000  # per row group, at most
GROUP_BYTES = 4 * 1024 * 1024  # per row group in memory; cleaning a row group takes several times as much
Compression = Mapping[str, str | int]
Item = TypeVar("Item")
FAST: Compression = {"compression": "lz4"}  # of rows that are read again soon: two thirds of zstd's time, a third more bytes
SMALL: Compression = {"compression": "zstd", "compression_level": 1}
_UNREPEATED = frozenset(
    (
        "claimed_url", "signature", "block", "blocks.list.element.text", "blocks.list.element.start", "blocks.list.element.end",
        "markup.list.element.markdown",
    )
)  # fmt: skip
CHUNK_CHARACTERS = 4 * 1024 * 1024  # of text in rows that are Python objects

_CAPTURE_COLUMNS = [
    "url", "host", "fetched_at", "fetch_status", "record_type", "kind", "content_mime_type", "content_charset", "content_length",
    "latency_ms", "via", "depth", "warc_filename", "warc_record_offset", "warc_record_length", "content_digest", "crawl_run",
    "request_method", "request_body", "content_usage", "content_signal", "reason", "detail", "page_type",
]  # fmt: skip
# The columns of ARTICLES that extraction fills from the page, except `blocks`.
METADATA_COLUMNS = [
    "title", "description", "authors", "published_at", "published_at_source", "published_zone", "modified_at", "modified_at_source",
    "language_declared", "section", "tags", "site_name", "canonical_url", "lead_image", "paywalled", "form", "extraction_path",
    "confidence", "charset", "charset_source",
]  # fmt: skip
_CLEANED_COLUMNS = [
    "article_id", "text", "text_length", "word_count", "text_digest", "language", "duplicate_word_fraction",
    "symbol_word_ratio", "mean_word_length", "link_density", "furniture_blocks", "memory_version", "markdown", "chunks",
]  # fmt: skip

CONTAINER = pa.struct(
    [
        pa.field("kind", pa.string()),
        pa.field("group", pa.int32()),
        pa.field("item", pa.int32()),
        pa.field("number", pa.int32()),
    ]
)
MARKUP = pa.struct(
    [
        pa.field("markdown", pa.string()),
        pa.field("containers", pa.list_(CONTAINER)),
        pa.field("images", pa.list_(pa.string())),
    ]
)

# One row per response or revisit record. An article has `blocks`, a rejected record a `reason`; a revisit has neither, but names the
# capture that it refers to.
EXTRACTED = pa.schema(
    [
        pa.field("bucket", pa.int16(), nullable=False),
        *(CAPTURES.field(name) for name in _CAPTURE_COLUMNS),
        pa.field("refers_to_filename", pa.string()),
        pa.field("refers_to_offset", pa.int64()),
        pa.field("container", pa.string()),
        *(ARTICLES.field(name) for name in (*METADATA_COLUMNS, "blocks")),
        pa.field("markup", pa.list_(MARKUP)),  # of each block, if Markdown or chunks are asked for
    ]
)

# The rows of one host bucket after cleaning. `article_id` is that of the page's own URL, `claimed_url` another one that the page names as
# its own; `decided_article_id` of DECIDED is the article's. `rule` is the rule of the policy that an article breaks.
CLEANED = pa.schema(
    [
        *EXTRACTED,
        *(ARTICLES.field(name).with_nullable(True) for name in _CLEANED_COLUMNS),
        pa.field("minhash", pa.binary()),  # a column of `articles` that new rows leave empty: the known index has their signatures
        pa.field("signature", pa.binary()),
        pa.field("claimed_url", pa.string()),
        pa.field("quarantine_reason", pa.string()),
        pa.field("rule", pa.string()),
        pa.field("quarantine_detail", pa.string()),
    ]
)

# The decision on each row of a cleaned bucket, in the same order.
DECIDED = pa.schema(
    [
        pa.field("outcome", pa.string(), nullable=False),
        pa.field("decided_reason", pa.string()),
        pa.field("decided_detail", pa.string()),
        pa.field("decided_article_id", pa.string()),
        pa.field("version", pa.int32()),
        pa.field("duplicate_of", pa.string()),
        pa.field("duplicate_kind", pa.string()),
        pa.field("duplicate_similarity", pa.float32()),
    ]
)

# What a record gave for a dataset: how many rows, or the error for which its page is rejected. Records without both are left out, unless
# they are revisits that were read again; `waiting` rows of theirs are in quarantine already, as rows of the record that they refer to.
PAGES = pa.schema(
    [
        pa.field("warc_filename", pa.string(), nullable=False),
        pa.field("warc_record_offset", pa.int64(), nullable=False),
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("rows", pa.int32(), nullable=False),
        pa.field("error", pa.string()),
        pa.field("waiting", pa.int32()),
    ]
)
PAGES_NAME = "@pages"  # no dataset has this name

# What became of the rows of each record for one dataset: made = published + unchanged + quarantined.
RECORD_OUTCOMES = pa.schema(
    [
        pa.field("warc_filename", pa.string(), nullable=False),
        pa.field("warc_record_offset", pa.int64(), nullable=False),
        pa.field("crawl_run", pa.string(), nullable=False),
        pa.field("outcome", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("detail", pa.string()),
        *(pa.field(name, pa.int32(), nullable=False) for name in ("made", "published", "unchanged", "quarantined")),
    ]
)

Row = dict[str, Any]  # a row of one of these schemas; Any: the values are those that Arrow converts


def decided_schema(dataset: Dataset) -> pa.Schema:
    """The Arrow schema of a dataset's rows that are to be published: those of its table but for the columns that name the process run."""
    table = table_schema(dataset)
    return pa.schema([field for field in table if field.name == "crawl_run" or field.name not in RUN_COLUMNS])


def write_rows(store: ObjectStore, key: str, tables: Iterable[pa.Table], schema: pa.Schema) -> int:
    """Write Parquet to the store, one row group at a time; the number of rows."""
    with staged_writer(store, key, schema) as writer:
        for table in bounded(tables):
            writer.write(table)
        return writer.rows


@contextmanager
def staged_writer(store: ObjectStore, key: str, schema: pa.Schema, compression: Compression = FAST) -> Iterator[StagedWriter]:
    """Write a Parquet file that appears in the store at the end of the `with` block; after an error it does not.

    `compression` is FAST, or SMALL for what is kept.
    """
    with scratch_folder() as folder:
        path = folder / "rows.parquet"
        statistics = ["bucket"] if "bucket" in schema.names else ["host"] if "host" in schema.names else False
        with pq.ParquetWriter(path, schema, write_statistics=statistics, use_dictionary=_repeating(schema), **compression) as out:
            writer = StagedWriter(out, schema)
            yield writer
        store.put_file(key, path)


def _repeating(schema: pa.Schema) -> list[str] | bool:
    """The columns whose values repeat. A dictionary of other values takes time and saves nothing."""
    return [leaf for leaf in leaf_columns(schema) if leaf not in UNIQUE and leaf not in _UNREPEATED] or False


class StagedWriter:
    """Writes row groups and counts their rows."""

    def __init__(self, out: pq.ParquetWriter, schema: pa.Schema) -> None:
        self.rows = 0
        self._out = out
        self._schema = schema

    def write(self, table: pa.Table) -> None:
        """Write a table as one row group. It should be `bounded`."""
        if table.num_rows:
            self._out.write_table(table.cast(self._schema), row_group_size=table.num_rows)
            self.rows += table.num_rows


def bounded(tables: Iterable[pa.Table], rows: int = GROUP_ROWS, size: int = GROUP_BYTES) -> Iterator[pa.Table]:
    """The same rows in tables of about `size` bytes and at most `rows` rows: small tables are joined, large ones are split."""
    pending: list[pa.Table] = []
    pending_rows = pending_bytes = 0
    for table in tables:
        for part, part_bytes in _halves(table, table.nbytes, rows, size):
            if pending and (pending_rows + part.num_rows > rows or pending_bytes + part_bytes > size):
                yield pa.concat_tables(pending)
                pending, pending_rows, pending_bytes = [], 0, 0
            pending.append(part)
            pending_rows, pending_bytes = pending_rows + part.num_rows, pending_bytes + part_bytes
    if pending:
        yield pa.concat_tables(pending)


def _halves(table: pa.Table, table_bytes: int, rows: int, size: int) -> Iterator[tuple[pa.Table, int]]:
    """Split a table in two, again and again, until each part is small enough or has one row; with the bytes of each, asked for once."""
    if table.num_rows <= 1 or (table.num_rows <= rows and table_bytes <= size):
        yield table, table_bytes
        return
    middle = table.num_rows // 2
    for half in (table.slice(0, middle), table.slice(middle)):
        yield from _halves(half, half.nbytes, rows, size)


def read_rows(store: ObjectStore, key: str, columns: list[str] | None = None) -> Iterator[pa.Table]:
    """The row groups of a staged Parquet, in order."""
    with store.open(key) as stream, pq.ParquetFile(stream, pre_buffer=False) as file:
        for group in range(file.metadata.num_row_groups):
            yield file.read_row_group(group, columns=columns)


def count_rows(store: ObjectStore, key: str) -> int:
    """How many rows a staged Parquet has."""
    with store.open(key) as stream, pq.ParquetFile(stream, pre_buffer=False) as file:
        return int(file.metadata.num_rows)


def block_characters(row: Row) -> int:
    """How many characters the texts of a row's blocks have."""
    return sum(len(block["text"]) for block in row.get("blocks") or ())


def in_chunks(rows: Iterable[Item], characters: Callable[[Item], int]) -> Iterator[list[Item]]:
    """Lists of at most GROUP_ROWS rows, and fewer if texts are long. Only one list at a time is in memory as Python objects.

    `characters` says how much text a row has.
    """
    chunk: list[Item] = []
    total = 0
    for row in rows:
        chunk.append(row)
        total += characters(row)
        if len(chunk) == GROUP_ROWS or total >= CHUNK_CHARACTERS:
            yield chunk
            chunk, total = [], 0
    if chunk:
        yield chunk


def blocks_of(stored: list[dict[str, Any]]) -> tuple[Block, ...]:
    """The blocks that `stored_blocks` converted."""
    return tuple(Block(_KINDS[b["kind"]], b["text"], b["level"] or 0, b["link_density"] or 0.0) for b in stored)


def markup_of_row(row: Row) -> tuple[BlockMarkup, ...]:
    """The markup that `stored_markup` converted; empty if none was asked for."""
    return tuple(
        BlockMarkup(one["markdown"], tuple(Container(**container) for container in one["containers"]), tuple(one["images"]))
        for one in row.get("markup") or ()
    )


def stored_markup(markup: Iterable[BlockMarkup]) -> list[dict[str, Any]] | None:
    """Markup as values of the staged column `markup`."""
    return [
        {"markdown": one.markdown, "containers": [asdict(c) for c in one.containers], "images": list(one.images)} for one in markup
    ] or None


def stored_blocks(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    """Blocks as values of the column `blocks`."""
    return [{"kind": str(b.kind), "text": b.text, "level": b.level, "link_density": b.link_density} for b in blocks]
