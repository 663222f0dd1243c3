"""`crawlhouse query`: SQL over the published tables."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from crawlhouse.console import results, say
from crawlhouse.rowformats import SUFFIXES, Format
from crawlhouse.rows import Rows
from schemas.errors import ConfigError

EXAMPLES = """
Examples:

  crawlhouse query "SELECT host, count(*) AS articles FROM articles_latest GROUP BY host"

  crawlhouse query "SELECT title, url FROM articles_latest WHERE language = 'de'" --format csv > german.csv

  crawlhouse query "SELECT * FROM articles_latest" -o articles.parquet

  crawlhouse query "SELECT outcome, reason, count(*) FROM captures GROUP BY ALL ORDER BY 3 DESC"

  crawlhouse query "DESCRIBE articles"
"""


def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One reading statement, in DuckDB's SQL; - reads it from standard input.")],
    form: Annotated[
        Format | None, typer.Option("--format", "-f", help="json is one array, jsonl one object a line. Default: table.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to a file; its suffix names the format.")] = None,
    rows: Annotated[int, typer.Option(min=1, help="How many rows a table shows.")] = 50,
) -> None:
    """Query the published tables with SQL.

    The tables are articles, captures, quarantine and runs; the view articles_latest has the last version of each article. Nothing can
    be changed by a query, and nothing but the lake be read.
    """
    from crawlhouse.sqlquery import run_sql
    from schemas.settings import load_settings

    chosen = _format(form, output)
    found = run_sql(load_settings(), sys.stdin.read() if sql == "-" else sql)
    if chosen is Format.TABLE:
        _show(found, rows)
    elif output is None:
        _write_to_stdout(found, chosen)
    else:
        _write_to_file(found, output, chosen)


def _format(form: Format | None, output: Path | None) -> Format:
    if output is None:
        return form or Format.TABLE
    chosen = form or SUFFIXES.get(output.suffix.lower())
    if chosen is None or chosen is Format.TABLE:
        raise ConfigError(f"{output} does not say its format: use one of the suffixes {', '.join(SUFFIXES)}, or --format.")
    return chosen


def _show(found: Rows, limit: int) -> None:
    from crawlhouse.rowformats import show_rows

    if show_rows(found, results(), limit):
        say(f"The first {limit} rows. More with --rows N; all of them with --format csv, or into a file with -o FILE.")


def _write_to_stdout(found: Rows, form: Format) -> None:
    from crawlhouse.rowformats import write_rows

    if form is Format.PARQUET and sys.stdout.isatty():
        raise ConfigError("Parquet is binary: send it to a file with -o FILE or by redirecting the output.")
    write_rows(found, sys.stdout.buffer, form)


def _write_to_file(found: Rows, output: Path, form: Format) -> None:
    """Written under a temporary name beside it, so that the file is whole or not there."""
    from crawlhouse.rowformats import write_rows

    partial = output.with_name(f".{output.name}.partial")
    try:
        with partial.open("wb") as out:
            count = write_rows(found, out, form)
        partial.replace(output)
    except FileNotFoundError as error:
        raise ConfigError(f"{output} cannot be written: there is no folder {output.parent}.") from error
    finally:
        partial.unlink(missing_ok=True)
    say(f"{count:,} rows in {output}")
