"""The built-in tables of the lake as Arrow schemas: `articles`, `captures`, `quarantine`, `sightings`, `runs`.

The tables of users' datasets are derived from their definitions (`schemas.datasets.tables`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa

from schemas import column_docs
from schemas.column_docs import ColumnDoc

DOC = b"doc"  # the key under which Iceberg's readers find a column's description
TIMESTAMP = pa.timestamp("us", tz="UTC")

BLOCK = pa.struct(
    [
        pa.field("kind", pa.string()),
        pa.field("text", pa.string()),
        pa.field("level", pa.int8()),
        pa.field("link_density", pa.float32()),
    ]
)

# A block as the tables store it. Where it stands in the row's `text`, from `start` up to `end` in code points, its own `text` is NULL in
# the files; the views give it back.
STORED_BLOCK = pa.struct([*BLOCK, pa.field("start", pa.int32()), pa.field("end", pa.int32())])

# a part of a text for retrieval: its place, the headings above it, the block that it begins with, and its Markdown
CHUNK = pa.struct(
    [
        pa.field("position", pa.int32()),
        pa.field("headings", pa.list_(pa.string())),
        pa.field("block", pa.int32()),
        pa.field("text", pa.string()),
    ]
)


def documented(fields: Iterable[pa.Field], docs: Mapping[str, ColumnDoc]) -> list[pa.Field]:
    """Fields with their descriptions, as Iceberg keeps them."""
    return [field.with_metadata({DOC: str(docs[field.name]).encode()}) for field in fields]


POINTER_FIELDS = [
    pa.field("warc_filename", pa.string(), nullable=False),
    pa.field("warc_record_offset", pa.int64(), nullable=False),
    pa.field("warc_record_length", pa.int64(), nullable=False),
    pa.field("content_digest", pa.string(), nullable=False),
]

RUN_FIELDS = [
    pa.field("crawl", pa.string(), nullable=False),
    pa.field("crawl_run", pa.string(), nullable=False),
    pa.field("process_run", pa.string(), nullable=False),
    pa.field("code_version", pa.string(), nullable=False),
    # NULL in the files since 0.2: they are written before the commit. `runs` has the values, and every reader of ours fills them in
    pa.field("ingested_at", TIMESTAMP),
    pa.field("sequence", pa.int64()),
]

ARTICLE_FIELDS = [
    pa.field("article_id", pa.string(), nullable=False),
    pa.field("version", pa.int32(), nullable=False),
    pa.field("url", pa.string(), nullable=False),
    pa.field("canonical_url", pa.string()),
    pa.field("host", pa.string(), nullable=False),
    pa.field("site_name", pa.string()),
    pa.field("title", pa.string()),
    pa.field("description", pa.string()),
    pa.field("authors", pa.list_(pa.string())),
    pa.field("published_at", TIMESTAMP),
    pa.field("published_at_source", pa.string()),
    pa.field("published_zone", pa.string()),
    pa.field("modified_at", TIMESTAMP),
    pa.field("modified_at_source", pa.string()),
    pa.field("language", pa.string()),
    pa.field("language_declared", pa.string()),
    pa.field("section", pa.string()),
    pa.field("tags", pa.list_(pa.string())),
    pa.field("lead_image", pa.string()),
    pa.field("paywalled", pa.bool_()),
    pa.field("form", pa.string()),
    pa.field("text", pa.string(), nullable=False),
    pa.field("blocks", pa.list_(STORED_BLOCK)),
    pa.field("text_length", pa.int32(), nullable=False),
    pa.field("word_count", pa.int32(), nullable=False),
    pa.field("text_digest", pa.string(), nullable=False),
    pa.field("minhash", pa.binary()),
    pa.field("duplicate_of", pa.string()),
    pa.field("duplicate_kind", pa.string()),
    pa.field("duplicate_similarity", pa.float32()),
    pa.field("duplicate_word_fraction", pa.float32()),
    pa.field("symbol_word_ratio", pa.float32()),
    pa.field("mean_word_length", pa.float32()),
    pa.field("link_density", pa.float32()),
    pa.field("furniture_blocks", pa.int32()),
    pa.field("extraction_path", pa.string()),
    pa.field("confidence", pa.float32()),
    pa.field("memory_version", pa.int64()),
    pa.field("charset", pa.string()),
    pa.field("charset_source", pa.string()),
    pa.field("fetched_at", TIMESTAMP, nullable=False),
    *POINTER_FIELDS,
    *RUN_FIELDS,
    pa.field("content_usage", pa.string()),
    pa.field("content_signal", pa.string()),
    pa.field("markdown", pa.string()),
    pa.field("chunks", pa.list_(CHUNK)),
]

ARTICLES = pa.schema(documented(ARTICLE_FIELDS, column_docs.ARTICLES))

ARTICLE_ONLY = frozenset({"article_id", "version", "text", "text_length", "word_count", "text_digest"})  # NULL in rows of other datasets

QUARANTINE = pa.schema(
    documented(
        [
            *(field.with_nullable(field.nullable or field.name in ARTICLE_ONLY) for field in ARTICLE_FIELDS),
            pa.field("reason", pa.string(), nullable=False),
            pa.field("rule", pa.string(), nullable=False),
            pa.field("detail", pa.string()),
            pa.field("dataset", pa.string()),
            pa.field("row_id", pa.string()),
            pa.field("row_json", pa.string()),
            pa.field("position", pa.int32()),
        ],
        column_docs.QUARANTINE,
    )
)

# what each dataset made of a capture
OUTCOMES = pa.list_(
    pa.struct(
        [
            pa.field("dataset", pa.string()),
            pa.field("outcome", pa.string()),
            pa.field("reason", pa.string()),
            pa.field("rows", pa.int32()),  # that were made of the capture
            pa.field("detail", pa.string()),
        ]
    )
)

CAPTURES = pa.schema(
    documented(
        [
            pa.field("url", pa.string(), nullable=False),
            pa.field("host", pa.string(), nullable=False),
            pa.field("fetched_at", TIMESTAMP, nullable=False),
            pa.field("fetch_status", pa.int16(), nullable=False),
            pa.field("record_type", pa.string(), nullable=False),
            pa.field("kind", pa.string(), nullable=False),
            pa.field("content_mime_type", pa.string()),
            pa.field("content_charset", pa.string()),
            pa.field("content_length", pa.int64()),
            pa.field("latency_ms", pa.int32()),
            pa.field("via", pa.string()),
            pa.field("depth", pa.int16()),
            pa.field("outcome", pa.string(), nullable=False),
            pa.field("reason", pa.string()),
            pa.field("detail", pa.string()),
            pa.field("page_type", pa.string()),
            pa.field("article_id", pa.string()),
            pa.field("article_version", pa.int32()),
            *POINTER_FIELDS,
            *RUN_FIELDS,
            pa.field("request_method", pa.string()),
            pa.field("request_body", pa.string()),
            pa.field("outcomes", OUTCOMES),
            pa.field("content_usage", pa.string()),
            pa.field("content_signal", pa.string()),
            pa.field("bytes_available", pa.bool_()),  # NULL in the files: the views fill it in
        ],
        column_docs.CAPTURES,
    )
)

SIGHTINGS = pa.schema(
    documented(
        [
            pa.field("dataset", pa.string(), nullable=False),
            pa.field("row_id", pa.string(), nullable=False),
            pa.field("crawl_run", pa.string(), nullable=False),
            pa.field("process_run", pa.string(), nullable=False),
            pa.field("seen_at", TIMESTAMP),
            pa.field("gone_at", TIMESTAMP),
            pa.field("url", pa.string()),
            pa.field("sequence", pa.int64()),
        ],
        column_docs.SIGHTINGS,
    )
)

# how many rows were made for a dataset, and what became of them: made = published + unchanged + quarantined
ROW_COUNTS = pa.list_(
    pa.struct(
        [
            pa.field("dataset", pa.string()),
            pa.field("made", pa.int64()),
            pa.field("published", pa.int64()),
            pa.field("unchanged", pa.int64()),
            pa.field("quarantined", pa.int64()),
        ]
    )
)

RUNS = pa.schema(
    documented(
        [
            pa.field("process_run", pa.string(), nullable=False),
            pa.field("crawl_run", pa.string(), nullable=False),
            pa.field("crawl", pa.string(), nullable=False),
            pa.field("code_version", pa.string(), nullable=False),
            pa.field("config_hash", pa.string(), nullable=False),
            pa.field("planned_at", TIMESTAMP, nullable=False),
            pa.field("closed_at", TIMESTAMP, nullable=False),
            pa.field("ingested_at", TIMESTAMP, nullable=False),
            pa.field("sequence", pa.int64(), nullable=False),
            pa.field("finish_reason", pa.string(), nullable=False),
            pa.field("due", pa.int64(), nullable=False),
            pa.field("fetched", pa.int64(), nullable=False),
            pa.field("denied", pa.int64(), nullable=False),
            pa.field("failed", pa.int64(), nullable=False),
            pa.field("filtered", pa.int64(), nullable=False),
            pa.field("left_over", pa.int64(), nullable=False),
            pa.field("records", pa.int64(), nullable=False),
            pa.field("published", pa.int64(), nullable=False),
            pa.field("known", pa.int64(), nullable=False),
            pa.field("duplicate", pa.int64(), nullable=False),
            pa.field("quarantined", pa.int64(), nullable=False),
            pa.field("rejected", pa.int64(), nullable=False),
            pa.field("bytes", pa.int64(), nullable=False),
            pa.field("segments", pa.int64(), nullable=False),
            pa.field("statistics", pa.string()),
            pa.field("datasets", ROW_COUNTS),
            pa.field("kind", pa.string()),
            pa.field("replaces", pa.list_(pa.string())),
            pa.field("decided_by", pa.string()),
            pa.field("decision_reason", pa.string()),
        ],
        column_docs.RUNS,
    )
)

WITH_BLOCKS = frozenset({"articles", "quarantine"})  # tables whose blocks have places in `text`

TABLES = {"articles": ARTICLES, "captures": CAPTURES, "quarantine": QUARANTINE, "sightings": SIGHTINGS, "runs": RUNS}
