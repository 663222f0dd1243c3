"""`crawlhouse query`: SQL over the published tables, as a table, CSV, JSON, JSON lines or Parquet."""

from __future__ import annotations

import re
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from crawlhouse.output.console import results, say, say_error
from crawlhouse.output.row_formats import SUFFIXES, Format
from crawlhouse.rows import Rows
from schemas.errors import ConfigError
from schemas.numbers import plural
from schemas.printable import printable, spreadsheet_text

SHOWN_ROWS = 50  # as many as a long terminal shows
ALL_ROWS = 10**9
DESCRIBES = re.compile(r"\s*(DESCRIBE|DESC|SHOW|SUMMARIZE)\b", re.IGNORECASE)  # their rows are columns and tables

EXAMPLES = """
Examples:

  crawlhouse query "SELECT host, count(*) AS articles FROM articles_latest GROUP BY host"

  crawlhouse query "SELECT title, url FROM articles_latest WHERE language = 'de'" --format csv > german.csv

  crawlhouse query "SELECT * FROM articles_latest" -o articles.parquet

  crawlhouse query "SELECT outcome, reason, count(*) FROM captures GROUP BY ALL ORDER BY 3 DESC"

  crawlhouse query "DESCRIBE articles"

  crawlhouse query "SELECT count(*) FROM articles" --as-of "2026-01-31 12:00"
"""


def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One reading statement, in DuckDB's SQL; - reads it from standard input.")],
    form: Annotated[
        Format | None, typer.Option("--format", "-f", help="json is one array, jsonl one object a line. Default: table.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to a file; its suffix names the format.")] = None,
    rows: Annotated[int | None, typer.Option(min=1, help="How many rows a table shows. Default: 50; of DESCRIBE and SHOW all.")] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="CSV: write texts as they are, also those that a spreadsheet takes for formulas.")
    ] = False,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="RUN|TIME", help="The lake as it was after a crawl run or process run, or then (UTC).")
    ] = None,
    timeout: Annotated[float | None, typer.Option(metavar="SECONDS", help="End the query, with exit code 11, if it takes longer.")] = None,
) -> None:
    """Query the published tables with SQL.

    The tables are articles, captures, quarantine, sightings and runs, and one for each dataset of your own: `crawlhouse tables` lists them.
    The view articles_latest has the last version of each article, NAME_latest that of each row of a dataset. A query can change nothing,
    and it can read nothing except the lake.

    In CSV, a text that begins with = + - or @ gets a ' before it, because a spreadsheet would run it as a formula. JSON and Parquet have
    texts unchanged.
    """
    from crawlhouse.sql.lean_arrow import import_lean_arrow, without_pandas
    from crawlhouse.sql.query import earlier_state, run_sql
    from crawlhouse.sql.time_limit import process_ends_after
    from schemas.config.settings import load_settings

    output = None if output == Path("-") else output  # as other commands name standard output
    chosen = _format(form, output)
    import_lean_arrow()
    text = sys.stdin.read() if sql == "-" else sql
    with process_ends_after(timeout, partial(_report_time_limit, output)):
        settings = load_settings()
        result = run_sql(settings, text, timeout, as_of=None if as_of is None else earlier_state(settings, as_of))
        without_pandas(result.schema)
        if chosen is Format.TABLE:
            _show(result, rows or (ALL_ROWS if DESCRIBES.match(text) else SHOWN_ROWS))
        elif output is None:
            _write_to_stdout(result, chosen, raw)
        else:
            _write_to_file(result, output, chosen, raw)


def _format(form: Format | None, output: Path | None) -> Format:
    if output is None:
        return form or Format.TABLE
    chosen = form or SUFFIXES.get(output.suffix.lower())
    if chosen is None or chosen is Format.TABLE:
        raise ConfigError(f"{output} does not say its format: use one of the suffixes {', '.join(SUFFIXES)}, or --format.")
    return chosen


def _show(result: Rows, limit: int) -> None:
    from crawlhouse.output.row_formats import show_rows

    if show_rows(result, results(), limit):
        say(f"The first {plural(limit, 'row')}. More with --rows N; all of them with --format csv, or into a file with -o FILE.")


def _write_to_stdout(result: Rows, form: Format, raw: bool) -> None:
    from crawlhouse.output.row_formats import write_rows

    is_terminal = sys.stdout.isatty()
    if form is Format.PARQUET and is_terminal:
        raise ConfigError("Parquet is binary: send it to a file with -o FILE or by redirecting the output.")
    write_rows(result, sys.stdout.buffer, form, partial(_csv_text, raw=raw, is_terminal=is_terminal))


def _write_to_file(result: Rows, output: Path, form: Format, raw: bool) -> None:
    """Write under a temporary name and rename it, so that the file is complete or not there."""
    from crawlhouse.output.row_formats import write_rows

    partial_file = _partial(output)
    if output.is_dir():
        raise ConfigError(f"{output} is a folder. Name a file.")
    try:
        with partial_file.open("wb") as out:
            count = write_rows(result, out, form, partial(_csv_text, raw=raw))
        partial_file.replace(output)
    except FileNotFoundError as error:
        raise ConfigError(f"{output} cannot be written: there is no folder {output.parent}.") from error
    finally:
        partial_file.unlink(missing_ok=True)
    say(f"{plural(count, 'row')} in {output}")


def _csv_text(text: str, *, raw: bool, is_terminal: bool = False) -> str:
    text = text if raw else spreadsheet_text(text)
    return printable(text) if is_terminal else text


def _partial(output: Path) -> Path:
    return output.with_name(f".{output.name}.partial")


def _report_time_limit(output: Path | None, message: str) -> None:
    """Remove the unfinished file and print the message. The process ends after this."""
    if output is not None:
        _partial(output).unlink(missing_ok=True)
    say_error(message)
