"""`crawlhouse tables`: the tables and views, and what each of their columns means."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from crawlhouse.output.row_formats import Format, LinesFormat

if TYPE_CHECKING:
    from crawlhouse.rows import Rows
    from schemas.config.settings import Settings

EXAMPLES = """
Examples:

  crawlhouse tables

  crawlhouse tables articles

  crawlhouse tables products --format jsonl
"""


def tables(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="A table or view; without it all are listed.")] = None,
    form: Annotated[LinesFormat, typer.Option("--format", "-f", help="For people or for programs.")] = LinesFormat.TABLE,
) -> None:
    """List the tables and views, or describe the columns of one: type, unit, what it is made from, and what it means."""
    from crawlhouse.output.row_formats import write_rows
    from schemas.config.settings import load_settings

    rows = _list(load_settings()) if name is None else _describe(load_settings(), name)
    if form is LinesFormat.TABLE:
        _show(rows)
    else:
        write_rows(rows, sys.stdout.buffer, Format(form))


def _show(rows: Rows) -> None:
    from crawlhouse.output.console import show, table

    names = rows.schema.names
    show(table("", names, [[str(row[name] or "") for name in names] for row in rows], numbers={"columns"}))


def _list(settings: Settings) -> Rows:
    from crawlhouse.reports.dictionary import read_dictionary

    entries = read_dictionary(settings).values()
    return _rows([{"name": one.name, "kind": one.kind, "columns": len(one.columns), "description": one.description} for one in entries])


def _describe(settings: Settings, name: str) -> Rows:
    from crawlhouse.reports.dictionary import find_table

    columns = find_table(settings, name).columns
    return _rows(
        [
            {"column": one.name, "type": one.type, "unit": one.doc.unit, "source": one.doc.source, "description": one.doc.description}
            for one in columns
        ]
    )


def _rows(records: list[dict[str, object]]) -> Rows:
    import pyarrow as pa

    from crawlhouse.rows import Rows

    table = pa.Table.from_pylist(records)
    return Rows(table.schema, lambda: iter(table.to_batches()))
