"""How the columns of a table are laid out in Parquet: statistics, dictionaries, encodings and Bloom filters where they help.

Statistics help where a file is sorted by the column or has few of its values; of a text or a digest they are bytes that nobody reads. A
Bloom filter answers where statistics cannot: whether a row group has one URL among millions.
Source of the encodings: https://parquet.apache.org/docs/file-format/data-pages/encodings/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

COMPRESSION, COMPRESSION_LEVEL = "zstd", 6  # measured on real articles: 5 % smaller than level 3; level 9 saves 1 % more for twice the time
FRESH_LEVEL = 3  # of the files of a publish, which wait for it: half the time. When small files are joined, they are compressed better
ROW_GROUP_ROWS = 4096  # a look-up reads the row groups that may have the row; smaller ones compress worse
BLOOM_COLUMNS = ("url", "canonical_url", "article_id", "row_id")
BLOOM_FALSE_POSITIVES = 0.01
TEXTS = frozenset({"text", "markdown", "description", "title", "row_json", "statistics", "minhash", "detail", "lead_image"})
DIGESTS = frozenset({"content_digest", "text_digest"})
UNIQUE = TEXTS | DIGESTS | {"url", "canonical_url", "article_id", "row_id", "warc_record_offset", "warc_record_length"}
STEPS = ("blocks.list.element.start", "blocks.list.element.end", "warc_record_offset")  # that grow from value to value


def writer_options(schema: pa.Schema, rows: int, level: int = COMPRESSION_LEVEL) -> dict[str, Any]:  # Any: of pyarrow's writer
    """The options of `pyarrow.parquet.ParquetWriter` for so many rows of a schema, compressed at a level of zstd."""
    leaves = list(leaf_columns(schema))
    steps = [leaf for leaf in STEPS if leaf in leaves]
    return {
        "compression": COMPRESSION,
        "compression_level": level,
        "store_decimal_as_integer": True,
        "store_schema": False,  # Arrow's own schema: readers take Iceberg's, and it is half of a small file
        "write_statistics": [name for name in schema.names if name in leaves and has_statistics(name)] or False,
        "use_dictionary": [leaf for leaf in leaves if leaf not in UNIQUE and leaf not in steps] or False,
        "column_encoding": dict.fromkeys(steps, "DELTA_BINARY_PACKED") or None,
        "bloom_filter_options": {
            name: {"ndv": max(1, min(rows, ROW_GROUP_ROWS)), "fpp": BLOOM_FALSE_POSITIVES} for name in BLOOM_COLUMNS if name in schema.names
        }
        or None,
    }


def has_statistics(column: str) -> bool:
    """Whether a column that is not nested gets statistics."""
    return column not in TEXTS and column not in DIGESTS


def metrics_properties(names: list[str]) -> dict[str, str]:
    """The properties of Iceberg by which a manifest has no statistics of the columns without them; `names` are full names of columns."""
    without = [name for name in names if "." in name or not has_statistics(name)]
    return {f"write.metadata.metrics.column.{name}": "none" for name in without}


def leaf_columns(schema: pa.Schema) -> Iterator[str]:
    """The columns of Parquet that a schema has, nested ones by their paths."""
    for field in schema:
        yield from _leaves_of(field.name, field.type)


def _leaves_of(path: str, kind: pa.DataType) -> Iterator[str]:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield from _leaves_of(f"{path}.list.element", kind.value_type)
    elif pa.types.is_struct(kind):
        for field in kind:
            yield from _leaves_of(f"{path}.{field.name}", field.type)
    elif pa.types.is_map(kind):
        yield from _leaves_of(f"{path}.key_value.key", kind.key_type)
        yield from _leaves_of(f"{path}.key_value.value", kind.item_type)
    else:
        yield path
