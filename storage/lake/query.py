"""SQL over the lake: a DuckDB connection with one view for each table. The views show published rows that are not taken down."""

from __future__ import annotations

import duckdb
import pyarrow as pa
from pyiceberg.table import Table

from schemas.config.settings import Settings
from schemas.tables import TABLES
from storage.lake.lake import open_lake
from storage.lake.latest import latest_sql
from storage.lake.published import STAMPS
from storage.lake.sources import SOURCES, add_source, is_read_by_duckdb, live_files, quoted, source_of
from storage.lake.takedown import Takedowns, read_takedowns
from storage.objects.open import open_store

FETCHED_ROWS = 10_000
URL_COLUMNS = {"articles": ("url", "canonical_url"), "quarantine": ("url", "canonical_url"), "captures": ("url",)}


def connect(settings: Settings) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection, in memory, with a view of each table, and NAME_latest of `articles` and of each dataset's table.

    It shows the lake as it is now, without rows whose URL or canonical URL is taken down. Times are in UTC. It can open only the files of
    the current snapshots, has no folder to write to, and its settings cannot be changed. Its cursors are the same. Do not run SQL of other
    people with it: `crawlhouse.sql.reading` decides which may run. Raises UnavailableError, StorageError; ConfigError if the takedown
    list cannot be read.
    """
    # no temporary directory, because SQL could read and write in it
    connection = duckdb.connect(config={"temp_directory": ""})
    connection.execute(f"SET GLOBAL TimeZone = 'UTC'; SET GLOBAL python_enable_replacements = false; ATTACH ':memory:' AS {SOURCES}")
    takedowns = read_takedowns(open_store(settings))
    with open_lake(settings) as lake:
        tables = lake.tables()
        files = {name: live_files(table) for name, table in tables.items()}
        sources = {name: source_of(connection, table, files[name]) for name, table in tables.items()}
    add_source(connection, "taken_down", _taken_down(connection, sources, takedowns))
    for name in sorted(sources, key=lambda name: name != "runs"):  # the other views read `runs`
        condition = _visible_condition(name, takedowns)
        rows = sources[name] if name == "runs" else _with_stamps(sources[name], tables[name])
        connection.execute(f'CREATE VIEW "{name}" AS SELECT * FROM {rows}{condition}')  # noqa: S608 our own names
    for name in ("articles", *(name for name in sources if name not in TABLES)):
        connection.execute(f'CREATE VIEW "{name}_latest" AS {latest_sql(name, has_sightings=bool(files["sightings"]))}')
    _restrict_access(connection, [file for sizes in files.values() for file in sizes if is_read_by_duckdb(file)])
    return connection


def _restrict_access(connection: duckdb.DuckDBPyConnection, files: list[str]) -> None:
    """Let the connection open these files and nothing else, until its end."""
    connection.execute(f"SET allowed_paths = [{quoted(files)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _visible_condition(name: str, takedowns: Takedowns) -> str:
    if name == "runs":
        return ""
    url = "coalesce(url, '')" if name == "sightings" else "url"  # NULL is in no list, and not in none either
    return f" WHERE {url} NOT IN (SELECT url FROM {SOURCES}.taken_down)" if takedowns else ""  # noqa: S608 our own names


def _with_stamps(source: str, table: Table) -> str:
    """The published rows of a table, with when they were published, which only `runs` knows."""
    stamps = [name for name in STAMPS if name in table.schema().column_names]
    values = ", ".join(f'"_run"."{name}" AS "{name}"' for name in stamps)
    runs = f"(SELECT process_run, {', '.join(f'min({name}) AS {name}' for name in STAMPS)} FROM runs GROUP BY process_run)"  # noqa: S608 our own names
    return (
        f'(SELECT "_rows".* REPLACE ({values}) FROM {source} AS "_rows" JOIN {runs} AS "_run" ON "_rows".process_run = "_run".process_run)'  # noqa: S608 our own names
    )


def _taken_down(connection: duckdb.DuckDBPyConnection, sources: dict[str, str], takedowns: Takedowns) -> pa.Table:
    """The URLs of rows that are taken down. SQL finds URLs that contain a listed host; `Takedowns.covers` decides."""
    urls: set[str] = set()
    for name in sources if takedowns else ():
        if name == "runs":
            continue
        columns = URL_COLUMNS.get(name, ("url",))
        near = " OR ".join(f"contains(lower({column}), _named)" for column in columns)
        found = connection.execute(
            f"SELECT DISTINCT {', '.join(columns)} FROM {sources[name]}, (SELECT unnest($1) AS _named) WHERE {near}",  # noqa: S608 our own names
            [sorted(takedowns.host_names())],
        )
        while rows := found.fetchmany(FETCHED_ROWS):
            urls.update(row[0] for row in rows if any(url and takedowns.covers(url) for url in row))
    return pa.table({"url": pa.array(sorted(urls), pa.string())})
