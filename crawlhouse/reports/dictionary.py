"""The data dictionary: the tables and views with their columns, and for each column its type, unit, source and meaning.

`python -m crawlhouse.reports.dictionary` writes the page docs/tables.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
import pyarrow as pa
from pyiceberg.io.pyarrow import schema_to_pyarrow

from schemas import column_docs
from schemas.column_docs import ColumnDoc, parse_doc
from schemas.config.settings import Settings
from schemas.datasets.tables import HISTORY_FIELDS, PLACE_FIELDS
from schemas.errors import NotFoundError
from schemas.tables import DOC, TABLES
from storage.lake.dataset_tables import COMMENT
from storage.lake.lake import open_lake

LATEST = "_latest"
SMALL_INTEGERS = re.compile(r"\b(TINYINT|SMALLINT)\b")  # Iceberg stores them as integers
LATEST_DOC = "The last version of each row of {name}, those that are gone included."
PAGE_HEAD = """# The tables

This page is made from `schemas/column_docs.py`. `crawlhouse tables NAME` shows the same, and so do Iceberg's field docs. Types are
those of `crawlhouse query`. A table of a dataset of your own has the columns of its fields and those at the end of this page.
"""


@dataclass(frozen=True, slots=True)
class ColumnEntry:
    """A column, its type as SQL names it, and its description."""

    name: str
    type: str
    doc: ColumnDoc


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A table or a view."""

    name: str
    kind: str
    description: str
    columns: tuple[ColumnEntry, ...]


LATEST_COLUMNS = tuple(ColumnEntry(name, "TIMESTAMP WITH TIME ZONE", doc) for name, doc in column_docs.LATEST.items())


def read_dictionary(settings: Settings) -> dict[str, TableEntry]:
    """All tables and views by name: the built-in ones, and those of the datasets in the lake. Raises UnavailableError, StorageError."""
    entries = built_in_entries()
    if not settings.database and not settings.database_file("catalog").exists():
        return entries
    with open_lake(settings) as lake:
        tables = lake.tables()
    for name in ("articles", *(name for name in tables if name not in TABLES)):
        schema = schema_to_pyarrow(tables[name].schema(), include_field_ids=False)
        description = column_docs.TABLE_DOCS.get(name) or tables[name].properties.get(COMMENT, "")
        entries |= _with_view(TableEntry(name, "table", description, _columns(schema)))
    return entries


def find_table(settings: Settings, name: str) -> TableEntry:
    """One table or view. Raises NotFoundError, which names those that there are."""
    entries = read_dictionary(settings)
    if name not in entries:
        raise NotFoundError(f"There is no table {name!r}. There are: {', '.join(sorted(entries))}.")
    return entries[name]


def built_in_entries() -> dict[str, TableEntry]:
    """The built-in tables, and the view of the latest articles."""
    entries: dict[str, TableEntry] = {}
    for name, schema in TABLES.items():
        entry = TableEntry(name, "table", column_docs.TABLE_DOCS[name], _columns(schema))
        entries |= _with_view(entry) if name == "articles" else {name: entry}
    return entries


def dictionary_page() -> str:
    """The page of the built-in tables in Markdown."""
    tables = [entry for entry in built_in_entries().values() if entry.kind == "table"]
    parts = [PAGE_HEAD, *(f"## {entry.name}\n\n{entry.description}\n\n{_markdown(entry.columns)}" for entry in tables)]
    parts.append(f"## The views NAME_latest\n\nThey have the columns of their table and these:\n\n{_markdown(LATEST_COLUMNS)}")
    text = "Beside its fields, and the columns from `warc_filename` to `sequence` as in `articles`:"
    own = _markdown(_columns(pa.schema([*HISTORY_FIELDS, *PLACE_FIELDS])))
    parts.append(f"## Tables of datasets of your own\n\n{text}\n\n{own}")
    return "\n".join(parts)


def _with_view(entry: TableEntry) -> dict[str, TableEntry]:
    """A dataset's table and the view of its latest rows."""
    view = TableEntry(f"{entry.name}{LATEST}", "view", LATEST_DOC.format(name=entry.name), (*entry.columns, *LATEST_COLUMNS))
    return {entry.name: entry, view.name: view}


def _columns(schema: pa.Schema) -> tuple[ColumnEntry, ...]:
    with duckdb.connect() as connection:
        types = [SMALL_INTEGERS.sub("INTEGER", str(kind)) for kind in connection.from_arrow(schema.empty_table()).types]
    return tuple(
        ColumnEntry(field.name, kind, parse_doc((field.metadata or {}).get(DOC, b"").decode()))
        for field, kind in zip(schema, types, strict=True)
    )


def _markdown(columns: Iterable[ColumnEntry]) -> str:
    rows = [f"| `{one.name}` | `{one.type}` | {one.doc.description} | {one.doc.unit} | {one.doc.source} |" for one in columns]
    return "\n".join(["| column | type | what it is | unit | made from |", "|---|---|---|---|---|", *rows, ""])


if __name__ == "__main__":
    from pathlib import Path

    Path("docs/tables.md").write_text(dictionary_page(), encoding="utf-8")
