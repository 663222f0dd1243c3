"""Writes rows as a table for people, as CSV, JSON, JSON lines or Parquet."""

from __future__ import annotations

import csv
import io
import json
import math
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

from crawlhouse.rows import Row, Rows, rows_of
from schemas.errors import ConfigError
from schemas.numbers import plural
from schemas.printable import printable, printable_json, spreadsheet_text

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console

MAX_LEAST_WIDTH = 12  # characters that a table shows of a long value; if there is less room, rows are shown one below the other
COLUMN_GAP = 3  # characters between two columns of Rich's table
ROW_GROUP_ROWS = 20_000  # of Parquet, as in the lake's own files
ROW_GROUP_BYTES = 32 * 1024 * 1024  # in memory
MAX_CELL_CHARACTERS = 400  # five lines of a terminal: the beginning of a text, not all of it


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    PARQUET = "parquet"


class ReportFormat(StrEnum):
    """How one report is shown: for people or for programs."""

    TABLE = "table"
    JSON = "json"


class ListFormat(StrEnum):
    """How a list is shown: for people or for programs."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


class LinesFormat(StrEnum):
    """How a list is shown: for people, as one array, or one object a line."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


SUFFIXES = {".csv": Format.CSV, ".json": Format.JSON, ".jsonl": Format.JSONL, ".ndjson": Format.JSONL, ".parquet": Format.PARQUET}


def write_rows(rows: Rows, out: BinaryIO, form: Format, csv_text: Callable[[str], str] = spreadsheet_text) -> int:
    """Write all rows as CSV, JSON, JSON lines or Parquet, one batch at a time. Returns how many rows there were.

    Times are written as ISO 8601 with their offset, binary values as Base64, NaN and infinities as null. In CSV, lists and structures are
    JSON, and `csv_text` changes each text before it is written.
    """
    if form is Format.PARQUET:
        return _write_parquet(rows, out)
    text = io.TextIOWrapper(out, encoding="utf-8", errors="backslashreplace", newline="")
    try:
        return _write_csv(rows, text, csv_text) if form is Format.CSV else _write_json(rows, text, lines=form is Format.JSONL)
    finally:
        text.detach()  # it writes what is left; the caller's stream stays open


def show_rows(rows: Rows, console: Console, limit: int) -> bool:
    """Print the first `limit` rows: as a table, or one below the other if the terminal is too narrow. Returns whether there are more."""
    first = list(islice(_readable(rows), limit + 1))
    shown = first[:limit]
    heads = {name: printable(name, lines=False) for name in rows.schema.names}
    widths = _widths(shown, heads, console.width - COLUMN_GAP * len(heads))
    if widths is None:
        _show_records(shown, heads, console)
    else:
        _show_table(shown, heads, widths, console)
    return len(first) > limit


def _widths(rows: list[Row], names: dict[str, str], room: int) -> list[int] | None:
    """The columns' widths in `room` characters. Short values get their full width, long ones share the rest. None if there is no room.

    `names` are the columns' names, each with its heading.
    """
    from rich.cells import cell_len

    heads = [cell_len(head) for head in names.values()]
    wanted = [max([head, *(cell_len(cell_text(row[name])) for row in rows)]) for name, head in zip(names, heads, strict=True)]
    widths = [max(head, min(want, MAX_LEAST_WIDTH)) for head, want in zip(heads, wanted, strict=True)]
    left = room - sum(widths)
    if left < 0:
        return None
    by_want = sorted(range(len(names)), key=lambda index: wanted[index])
    for done, index in enumerate(by_want):
        more = min(wanted[index] - widths[index], left // (len(names) - done))
        widths[index] += more
        left -= more
    return widths


def _show_table(rows: list[Row], names: dict[str, str], widths: list[int], console: Console) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, width in zip(names, widths, strict=True):
        numeric = all(isinstance(row[name], (int, float, Decimal)) for row in rows) and bool(rows)
        table.add_column(names[name], justify="right" if numeric else "left", overflow="ellipsis", no_wrap=True, width=width)
    for row in rows:
        table.add_row(*(cell_text(row[name]) for name in names))
    console.print(table)


def _show_records(rows: list[Row], names: dict[str, str], console: Console) -> None:
    from rich.table import Table

    for number, row in enumerate(rows, 1):
        record = Table(box=None, show_header=False, pad_edge=False, title=f"row {number}", title_justify="left")
        record.add_column(style="bold", no_wrap=True, min_width=max(map(len, names.values())))
        record.add_column(overflow="ellipsis", no_wrap=True)
        for name, head in names.items():
            record.add_row(head, cell_text(row[name]))
        console.print(record)


def cell_text(value: object) -> str:
    """A value for people on one line. A long value is cut."""
    if isinstance(value, bytes):
        return plural(len(value), "byte")
    text = "" if value in (None, []) else value if isinstance(value, str) else _flat(json_value(value))
    folded = printable(" ".join(text[: 2 * MAX_CELL_CHARACTERS].split()), lines=False)
    return folded if len(folded) <= MAX_CELL_CHARACTERS else folded[: MAX_CELL_CHARACTERS - 1] + "…"


def format_value(value: object) -> str:
    """A value for a table that people read: times to the second, the items of a list on one line, numbers with thousands separators."""
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S} {value.tzname() or ''}".rstrip()
        case list():
            return cell_text("; ".join(map(format_value, value)))
        case _:
            return cell_text(value)


def iso_time(seconds: float | None) -> str | None:
    """Seconds since the epoch as ISO 8601, UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _flat(value: object) -> str:
    if value is None:  # NaN or an infinity
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def json_value(value: Any) -> Any:  # Any: a column may have any type
    """A value in JSON's own types."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case None | bool() | int() | str():
            return value
        case datetime() | date() | time():
            return value.isoformat()
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case bytes():
            return b64encode(value).decode("ascii")
        case dict():
            return {str(key): json_value(item) for key, item in value.items()}
        case list() | tuple():
            return [json_value(item) for item in value]
        case _:
            return str(value)


def _readable(rows: Rows) -> Iterator[Row]:
    """The rows as dicts. Single-precision numbers are in their shortest form: 0.9, not 0.8999999761581421."""
    import pyarrow as pa

    single = [index for index, field in enumerate(rows.schema) if field.type == pa.float32()]
    for batch in rows.batches():
        for index in single:
            shortest = batch.column(index).cast(pa.string()).cast(pa.float64())
            batch = batch.set_column(index, batch.schema.field(index).name, shortest)  # noqa: PLW2901 the same batch, readable
        yield from rows_of(batch)


def _write_csv(rows: Rows, out: io.TextIOWrapper, text: Callable[[str], str]) -> int:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(map(text, rows.schema.names))
    count = 0
    for row in _readable(rows):
        writer.writerow([csv_value(value, text) for value in row.values()])
        count += 1
    return count


def csv_value(value: object, text: Callable[[str], str] = spreadsheet_text) -> object:
    """A value as it is written to a cell of CSV."""
    value = json_value(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    value = json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value
    return text(value) if isinstance(value, str) else value


def _write_json(rows: Rows, out: io.TextIOWrapper, *, lines: bool) -> int:
    count = 0
    for text in _json_rows(rows):
        out.write(("" if lines and not count else "\n" if lines else ",\n" if count else "[\n") + text)
        count += 1
    if lines:
        out.write("\n" if count else "")
    else:
        out.write("\n]\n" if count else "[]\n")
    return count


def _json_rows(rows: Rows) -> Iterator[str]:
    for row in _readable(rows):
        yield printable_json({name: json_value(value) for name, value in row.items()})


def _write_parquet(rows: Rows, out: BinaryIO) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    count = 0
    try:
        opened = pq.ParquetWriter(out, rows.schema, compression="zstd")
    except pa.ArrowNotImplementedError as error:
        raise ConfigError(f"Parquet cannot hold a column: {error}. Select it as text, with CAST(... AS VARCHAR).") from error
    with opened as writer:
        for group in _row_groups(rows):
            writer.write_table(group, row_group_size=group.num_rows)
            count += group.num_rows
    return count


def _row_groups(rows: Rows) -> Iterator[pa.Table]:
    """The rows in tables of a row group each."""
    import pyarrow as pa

    batches: list[pa.RecordBatch] = []
    for batch in rows.batches():
        batches.append(batch)
        if sum(one.nbytes for one in batches) >= ROW_GROUP_BYTES or sum(one.num_rows for one in batches) >= ROW_GROUP_ROWS:
            yield pa.Table.from_batches(batches, rows.schema)
            batches = []
    if batches:
        yield pa.Table.from_batches(batches, rows.schema)
