"""The SQL of the lake's views: published rows that are not taken down, and of each dataset the last version of each row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from storage.lake.latest import latest_sql
from storage.lake.reader.lake_table import LakeTable
from storage.lake.sources import SOURCES
from storage.lake.takedown import Takedowns

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

FETCHED_ROWS = 10_000
URL_COLUMNS = {"articles": ("url", "canonical_url"), "quarantine": ("url", "canonical_url"), "captures": ("url",)}
OF_RUN = ("sequence", "ingested_at")  # columns that are filled from `runs`: in newer files they are NULL
# one row for each process run; `runs` has one for each of its crawl runs
PUBLISHED = """
CREATE VIEW sources.published AS
SELECT process_run, min(sequence) AS sequence, min(ingested_at) AS ingested_at FROM main.runs GROUP BY process_run
"""


def view_statements(tables: Mapping[str, LakeTable], sources: Mapping[str, str], hides: bool) -> Iterator[str]:
    """The statements that create the views. `sources` are the texts after FROM. `hides`: `taken_down` in SOURCES has URLs to leave out."""
    yield f"CREATE VIEW main.runs AS SELECT * FROM {sources['runs']}"  # noqa: S608 our own names
    yield PUBLISHED
    for name, table in tables.items():
        if name != "runs":
            yield f'CREATE VIEW main."{name}" AS {_visible(table, sources[name], hides)}'
    for name, table in tables.items():
        if name == "articles" or table.is_dataset:
            yield f'CREATE VIEW main."{name}_latest" AS {latest_sql(name, has_sightings=bool(tables["sightings"].files))}'


def taken_down_urls(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, LakeTable], sources: Mapping[str, str], takedowns: Takedowns
) -> pa.Table:
    """The URLs of rows that are taken down. SQL finds URLs that contain a listed host; `Takedowns.covers` decides."""
    import pyarrow as pa

    urls: set[str] = set()
    for name in tables if takedowns else ():
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


def _visible(table: LakeTable, source: str, hides: bool) -> str:
    """The rows of published runs, with what is the same for all rows of a run."""
    names = {column.name for column in table.columns}
    filled = [f"coalesce(_row.{name}, _run.{name}) AS {name}" for name in OF_RUN if name in names]
    url = "coalesce(_row.url, '')" if table.name == "sightings" else "_row.url"  # NULL is in no list, and not in none either
    hidden = f" WHERE {url} NOT IN (SELECT url FROM {SOURCES}.taken_down)" if hides else ""  # noqa: S608 our own names
    columns = f"_row.* REPLACE ({', '.join(filled)})" if filled else "_row.*"
    return f"SELECT {columns} FROM {source} AS _row JOIN {SOURCES}.published AS _run ON _run.process_run = _row.process_run{hidden}"  # noqa: S608 our own names
