"""What `crawlhouse export` does: write tables into files, each whole or not at all, or captures into a WACZ."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from crawlhouse.output.console import progress, say
from crawlhouse.output.row_formats import Format, json_value, write_rows
from crawlhouse.rows import Rows
from crawlhouse.sql.query import open_lake_for_reading, run_sql_on
from crawlhouse.sql.table import WITHOUT_HOSTS, RowFilter, select_table, where
from runtime.code_version import code_version
from runtime.failpoint import reached
from runtime.scratch import scratch_folder
from schemas.config.settings import Settings
from schemas.errors import ConfigError, NotFoundError, StorageError
from schemas.numbers import plural
from storage.objects.directory import DirectoryStore
from storage.objects.open import open_store
from storage.objects.store import ObjectStore

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

LIST = "export.json"
PARTIAL = "unfinished"  # the name of a file while it is written: after a crash no pattern such as *.jsonl finds it
SUFFIXES = {".parquet": "parquet", ".jsonl": "jsonl", ".jsonl.gz": "jsonl", ".wacz": "wacz"}
OTHER_SUFFIX = re.compile(r".+\.[a-z][a-z0-9]{1,7}")  # of a file; a folder may be called 2026.03
READ_BYTES = 1 << 20
Advance = Callable[[int], None]


def run_export(settings: Settings, tables: Sequence[str], output: str, form: str | None, wanted: RowFilter) -> None:
    """Export and print what was written. Raises NotFoundError for an unknown table or run, ConfigError for what cannot be combined."""
    if output in {"", "-"}:
        raise ConfigError("--output names no place. Write a folder, such as export/, or a file.")
    suffix = next((one for one in sorted(SUFFIXES, key=len, reverse=True) if output.endswith(one)), None)
    chosen = form or (SUFFIXES[suffix] if suffix else "parquet")
    if suffix is not None and SUFFIXES[suffix] != chosen:
        raise ConfigError(f"{output} ends like {SUFFIXES[suffix]}, but --format is {chosen}. Name another file, or leave --format out.")
    if suffix is None and OTHER_SUFFIX.fullmatch(output.rpartition("/")[2]) and not Path(output).is_dir():
        raise ConfigError(
            f"{output} ends like no format of an export; these are {', '.join(SUFFIXES)}. For a folder of that name write {output}/. "
            "`crawlhouse query SQL -o FILE.csv` writes CSV."
        )
    with open_lake_for_reading(settings) as lake:
        _check_selection(lake, wanted)
        if chosen == "wacz":
            _export_wacz(lake, tables, output, wanted, settings)
        elif suffix is not None:
            if len(tables) != 1:
                raise ConfigError(f"{output} is one file, for one table: name the table, or a folder for several.")
            _export_file(lake, tables[0], output, wanted, settings)
        else:
            _export_folder(lake, tables, output, chosen, wanted, settings)


def _check_selection(lake: duckdb.DuckDBPyConnection, wanted: RowFilter) -> None:
    """Raise NotFoundError for a crawl, a run or a host of which nothing is published: its export would be empty by mistake."""
    for column, value in (("crawl", wanted.crawl), ("crawl_run", wanted.crawl_run)):
        if value is not None and not lake.execute(f"SELECT 1 FROM runs WHERE {column} = $1 LIMIT 1", [value]).fetchall():  # noqa: S608
            raise NotFoundError(f"The lake has no {column.replace('_', ' ')} {value!r}. `crawlhouse query 'FROM runs'` lists them.")
    if wanted.host is not None and not lake.execute("SELECT 1 FROM captures WHERE host = $1 LIMIT 1", [wanted.host.lower()]).fetchall():
        near = "SELECT DISTINCT host FROM captures WHERE starts_with(host, $1 || ':') OR ends_with(host, '.' || $1) ORDER BY host LIMIT 5"
        hosts = ", ".join(host for (host,) in lake.execute(near, [wanted.host.lower()]).fetchall())
        raise NotFoundError(f"The lake has no captures of the host {wanted.host!r}.{f' It has {hosts}.' if hosts else ''}")


def _export_file(lake: duckdb.DuckDBPyConnection, table: str, output: str, wanted: RowFilter, settings: Settings) -> None:
    place, _, name = output.rpartition("/")
    with _bar(_count(lake, [table], wanted)) as advance, scratch_folder(_scratch(output)) as folder:
        path = folder / PARTIAL
        rows = _write(lake, table, path, name, wanted, advance)
        _place(place or ".", settings).put_file(name, path)
    say(f"{plural(rows, 'row')} of {table} in {output}")


def _export_folder(
    lake: duckdb.DuckDBPyConnection, tables: Sequence[str], output: str, form: str, wanted: RowFilter, settings: Settings
) -> None:
    place = _place(output, settings)
    known = [name for (name,) in lake.execute("SHOW TABLES").fetchall()]
    chosen = list(dict.fromkeys(tables)) or _all_tables(known, wanted)
    place.delete(LIST)  # until all files are new, the list would be wrong
    listed: dict[str, Mapping[str, object]] = {}
    counts: dict[str, int] = {}
    with _bar(_count(lake, chosen, wanted)) as advance, scratch_folder(_scratch(output)) as folder:
        for table in chosen:
            path, name = folder / PARTIAL, f"{table}.{form}"
            rows = counts[table] = _write(lake, table, path, name, wanted, advance)
            place.put_file(name, path)
            reached("export.after.table")
            listed[table] = {"file": name, "rows": rows, "bytes": path.stat().st_size, "sha256": _sha256(path)}
            path.unlink()
    sequence = lake.execute("SELECT max(sequence) FROM runs").fetchall()[0][0]
    selection = {"crawl": wanted.crawl, "run": wanted.crawl_run, "host": wanted.host, "since": json_value(wanted.since)}
    facts = {"made_at": datetime.now(UTC).isoformat(timespec="seconds"), "made_by": f"crawlhouse {code_version()}", "sequence": sequence}
    place.put_bytes(LIST, json.dumps({**facts, "selection": selection, "tables": listed}, indent=2).encode() + b"\n")
    for table, one in listed.items():
        say(f"{plural(counts[table], 'row')} of {table} in {output.rstrip('/')}/{one['file']}")


def _all_tables(known: Sequence[str], wanted: RowFilter) -> list[str]:
    """Every table, without the views of their last rows; tables without hosts only if no host is chosen."""
    return [name for name in known if not name.endswith("_latest") and not (wanted.host and name in WITHOUT_HOSTS)]


def _write(lake: duckdb.DuckDBPyConnection, table: str, path: Path, name: str, wanted: RowFilter, advance: Advance) -> int:
    """Write a table's rows into a file that will be called `name`; returns their number."""
    rows = _watched(run_sql_on(lake, select_table(table, wanted)), advance)
    form = Format.PARQUET if name.endswith(".parquet") else Format.JSONL
    with path.open("wb") as file, gzip.GzipFile(name, "wb", 6, file) if name.endswith(".gz") else nullcontext(file) as out:
        count = write_rows(rows, cast("BinaryIO", out), form)
    reached("export.written")
    return count


def _watched(rows: Rows, advance: Advance) -> Rows:
    """The same rows; `advance` is told of each batch."""

    def read() -> Iterator[pa.RecordBatch]:
        for batch in rows.batches():
            yield batch
            advance(batch.num_rows)

    return Rows(rows.schema, read)


def _export_wacz(lake: duckdb.DuckDBPyConnection, tables: Sequence[str], output: str, wanted: RowFilter, settings: Settings) -> None:
    from storage.wacz import write_wacz

    if tables:
        raise ConfigError("A WACZ has captures, no tables: leave the tables out, and select captures with --crawl, --run, --host, --since.")
    if not output.endswith(".wacz"):
        raise ConfigError(f"A WACZ is one file: write -o {output.rstrip('/')}.wacz.")
    total = _count(lake, ["captures"], wanted)
    if not total:
        raise NotFoundError("No captures are selected: the file would be empty.")
    place, _, name = output.rpartition("/")
    with _bar(total) as advance, scratch_folder(_scratch(output)) as folder:
        path = folder / PARTIAL
        copied = write_wacz(path, _captures(lake, wanted), open_store(settings), _title(wanted), folder, lambda _: advance(1))
        size = path.stat().st_size
        reached("export.written")
        _place(place or ".", settings).put_file(name, path)
    say(
        f"{plural(copied, 'capture')} in {output} ({size / 1e6:,.1f} MB). Open it on https://replayweb.page, which reads it in "
        "your browser only."
    )


def _captures(lake: duckdb.DuckDBPyConnection, wanted: RowFilter) -> Iterator[tuple[str, dict[int, str | None]]]:
    """The segments with the offsets of the wanted captures and the titles of their articles, one crawl run in memory at a time."""
    condition = where("captures", wanted)
    runs = [run for (run,) in lake.execute(f"SELECT DISTINCT crawl_run FROM captures{condition} ORDER BY 1").fetchall()]  # noqa: S608
    for run in runs:
        narrowed = f"{condition}{' AND' if condition else ' WHERE'} crawl_run = $1 AND bytes_available"
        found = lake.execute(
            f"""
            SELECT warc_filename, warc_record_offset, any_value(title) FROM (
              SELECT warc_filename, warc_record_offset, NULL AS title FROM captures{narrowed}
              UNION ALL
              SELECT warc_filename, warc_record_offset, title FROM articles WHERE crawl_run = $1
                AND (warc_filename, warc_record_offset) IN (SELECT (warc_filename, warc_record_offset) FROM captures{narrowed})
            ) GROUP BY 1, 2 ORDER BY 1, 2
            """,  # noqa: S608 our own names, and literals
            [run],
        ).fetchall()
        for filename, rows in groupby(found, key=lambda row: str(row[0])):
            yield filename, {row[1]: row[2] for row in rows}


def _title(wanted: RowFilter) -> str:
    parts = [wanted.crawl_run or wanted.crawl, wanted.host, f"since {wanted.since}" if wanted.since else None]
    return " ".join(part for part in parts if part) or "crawlhouse"


def _count(lake: duckdb.DuckDBPyConnection, tables: Sequence[str], wanted: RowFilter) -> int:
    """How many rows are written. Raises NotFoundError for an unknown table, before anything is written."""
    return sum(next(iter(run_sql_on(lake, f"SELECT count(*) AS n FROM ({select_table(name, wanted)})")))["n"] for name in tables)  # noqa: S608


@contextmanager
def _bar(total: int) -> Iterator[Advance]:
    with progress() as bar:
        task = bar.add_task("exporting", total=total)

        def advance(count: int) -> None:
            bar.update(task, advance=count)
            reached("export.batch")

        yield advance


def _place(where_to: str, settings: Settings) -> ObjectStore:
    """A folder or an s3:// prefix, written as a store is: a file is there as a whole or not at all."""
    if where_to.startswith("s3://"):
        return open_store(settings.model_copy(update={"store": where_to.rstrip("/")}))
    folder = Path(where_to).expanduser().absolute()
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file. Name a folder, or a file that ends in {', '.join(SUFFIXES)}.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder} cannot be made: {error.strerror}. Name another place.") from error
    return DirectoryStore(folder, folder)


def _scratch(output: str) -> Path | None:
    """Where files are written before they are moved: beside their place, so that its disk must have the room."""
    if output.startswith("s3://"):
        return None
    folder = Path(output).expanduser().absolute()
    folder = folder.parent if any(output.endswith(suffix) for suffix in SUFFIXES) else folder
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
