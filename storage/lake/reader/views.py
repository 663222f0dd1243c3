"""The SQL of the lake's views: published rows that are not taken down, and of each dataset the last version of each row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from storage.lake.latest import latest_sql
from storage.lake.reader.lake_table import LakeTable
from storage.lake.reader.published_runs import REMOVING
from storage.lake.sources import SOURCES, quoted_text
from storage.warc.removed_segments import RemovedSegments

if TYPE_CHECKING:
    import duckdb

OF_DUPLICATE = ("duplicate_kind", "duplicate_similarity")
AVAILABLE = "bytes_available"
BLOCKS, PLACE_MEMBER = "blocks", '"start"'
# a block whose text stands in the article's has its place there instead; DuckDB's substring counts code points, from 1
BLOCKS_WITH_TEXTS = """
[struct_pack(kind := b.kind, "text" := coalesce(b."text", substring(_row."text", b."start" + 1, b."end" - b."start")), "level" := b."level",
  link_density := b.link_density, "start" := b."start", "end" := b."end") FOR b IN _row.blocks]
"""
OF_RUN = ("sequence", "ingested_at")  # columns that are filled from `runs`: in newer files they are NULL
# one row for each process run; `runs` has one for each of its crawl runs
PUBLISHED = """
CREATE VIEW sources.published AS
SELECT process_run, min(sequence) AS sequence, min(ingested_at) AS ingested_at FROM main.runs GROUP BY process_run
"""


def view_statements(
    tables: Mapping[str, LakeTable],
    sources: Mapping[str, str],
    hides: bool,
    adopts: bool,
    removed: RemovedSegments,
    keeps_published: bool = False,
) -> Iterator[str]:
    """The statements that create the views. `sources` are the texts after FROM, `removed` the crawl runs without segments.

    `keeps_published`: the connection has the table of published runs (`published_runs.add_published`), so that they are not read with each
    query. `hides`: the table `taken_down` in SOURCES has URLs to leave out. `adopts`: `orphans` in SOURCES has duplicates whose original is
    gone.
    """
    yield f"CREATE VIEW main.runs AS SELECT * FROM {sources['runs']}"  # noqa: S608 our own names
    if not keeps_published:
        yield PUBLISHED
    for name, table in tables.items():
        if name != "runs":
            yield f'CREATE VIEW main."{name}" AS {_visible(table, sources[name], hides, adopts and name == "articles", removed)}'
    for name, table in tables.items():
        if name == "articles" or table.is_dataset:
            yield f'CREATE VIEW main."{name}_latest" AS {latest_sql(name, has_sightings=bool(tables["sightings"].files))}'


def orphans(
    connection: duckdb.DuckDBPyConnection, sources: Mapping[str, str], tables: Mapping[str, LakeTable], removes: bool | None = None
) -> list[tuple[str, str]]:
    """Originals that a rollback, reprocessing or their age removed, each with the oldest copy that is left: it is shown as the original.

    Nothing is read but `runs` if there was none of these, and not these either if it is known whether one of them `removes` rows.
    """
    if removes is None:
        removing = f"SELECT 1 FROM {sources['runs']} WHERE {REMOVING} LIMIT 1"  # noqa: S608 our own names
        removes = bool(connection.execute(removing).fetchall())
    if not tables["articles"].has_expired and not removes:
        return []
    found = connection.execute(f"""
        WITH published AS (SELECT process_run, min(sequence) AS published_as FROM {sources["runs"]} GROUP BY process_run),
        rows AS (SELECT article_id, duplicate_of, coalesce(sequence, published_as) AS published_in, fetched_at
          FROM {sources["articles"]} JOIN published USING (process_run))
        SELECT duplicate_of, arg_min(article_id, struct_pack(a := published_in, b := fetched_at, c := article_id)) FROM rows
        WHERE duplicate_of IS NOT NULL AND duplicate_of NOT IN (SELECT article_id FROM rows) GROUP BY duplicate_of
        """)  # noqa: S608 our own names
    return [(str(gone), str(copy)) for gone, copy in found.fetchall()]


def add_orphans(connection: duckdb.DuckDBPyConnection, found: list[tuple[str, str]]) -> None:
    """Make the table of them in the current database."""
    connection.execute(f"CREATE TABLE {SOURCES}.orphans (gone VARCHAR, copy VARCHAR)")
    connection.execute(
        f"INSERT INTO {SOURCES}.orphans SELECT unnest($1), unnest($2)",
        [[gone for gone, _ in found], [copy for _, copy in found]],
    )


def available_sql(removed: RemovedSegments) -> str:
    """Whether the segment of a capture is in the archive."""
    ranges = (f"_row.crawl_run BETWEEN {quoted_text(one.first)} AND {quoted_text(one.last)}" for one in removed.ranges)
    return f"NOT ({' OR '.join(ranges) or 'false'})"


def has_places(table: LakeTable) -> bool:
    """Whether blocks of the table may have places in `text`; one of an earlier release that was not opened since has none."""
    return any(column.name == BLOCKS and column.is_nested and PLACE_MEMBER in column.type for column in table.columns)


def _visible(table: LakeTable, source: str, hides: bool, adopts: bool, removed: RemovedSegments) -> str:
    """The rows of published runs, with what is the same for all rows of a run."""
    names = {column.name for column in table.columns}
    changed = {name: f"coalesce(_row.{name}, _run.{name})" for name in OF_RUN if name in names}
    joined = f"{source} AS _row JOIN {SOURCES}.published AS _run ON _run.process_run = _row.process_run"
    if table.name == "captures":
        changed[AVAILABLE] = available_sql(removed)
    if has_places(table):
        changed[BLOCKS] = BLOCKS_WITH_TEXTS
    if adopts:
        original = "nullif(coalesce(_orphan.copy, _row.duplicate_of), _row.article_id)"
        joined += f" LEFT JOIN {SOURCES}.orphans AS _orphan ON _orphan.gone = _row.duplicate_of"
        changed["duplicate_of"] = original
        changed |= {name: f"CASE WHEN {original} IS NOT NULL THEN _row.{name} END" for name in OF_DUPLICATE}
    url = "coalesce(_row.url, '')" if table.name == "sightings" else "_row.url"  # NULL is in no list, and not in none either
    hidden = f" WHERE {url} NOT IN (SELECT url FROM {SOURCES}.taken_down)" if hides else ""  # noqa: S608 our own names
    replaced = f" REPLACE ({', '.join(f'{value} AS {name}' for name, value in changed.items())})" if changed else ""
    return f"SELECT _row.*{replaced} FROM {joined}{hidden}"  # noqa: S608 our own names
