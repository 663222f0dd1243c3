"""What changed in the datasets after a publish: rows that were added or changed, and keys that are gone or back.

Memory is bounded: rows of a few publishes at a time are sorted, rows of a large publish are streamed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from crawlhouse.rows import Row
from crawlhouse.sql.query import run_sql_on
from schemas.errors import NotFoundError

if TYPE_CHECKING:
    import duckdb

SORTED_ROWS = 5_000  # at a time; articles have some 10 kB each
LATEST = "_latest"
KEYS = {"articles": "article_id"}
ROW_KEY = "row_id"  # of all other datasets
COUNTS = 'SELECT sequence, count(*) AS rows FROM "{name}" WHERE sequence > $since GROUP BY sequence ORDER BY sequence'
VERSIONS = 'SELECT * FROM "{name}" WHERE sequence BETWEEN {first} AND {last}{order}'
# a key that was gone and is seen again is back; only keys that were ever gone are looked at
SIGHTINGS = """
WITH events AS (
  SELECT row_id, sequence, seen_at, gone_at,
    lag(gone_at) OVER (PARTITION BY row_id ORDER BY sequence, coalesce(seen_at, gone_at)) AS gone_before
  FROM sightings
  WHERE dataset = $name AND row_id IN (SELECT row_id FROM sightings WHERE dataset = $name AND gone_at IS NOT NULL)
)
SELECT row_id, sequence, seen_at, gone_at FROM events
WHERE sequence > $since AND (gone_at IS NOT NULL OR gone_before IS NOT NULL) ORDER BY sequence, row_id
"""


def read_changes(connection: duckdb.DuckDBPyConnection, since: int, table: str | None = None) -> Iterator[Row]:
    """The changes of one dataset, or of all, one dataset after the other, each in the order of the publishes.

    Raises NotFoundError for a name that no dataset has, and what `run_sql` raises.
    """
    names = _datasets(connection)
    if table is not None and table not in names:
        raise NotFoundError(f"There is no dataset {table!r} to follow. There are: {', '.join(names)}.")
    for name in [table] if table is not None else names:
        yield from _versions(connection, name, since)
        yield from _sightings(connection, name, since)


def _datasets(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The datasets: they have a view of their latest rows."""
    return [row["name"].removesuffix(LATEST) for row in run_sql_on(connection, "SHOW TABLES") if row["name"].endswith(LATEST)]


def _versions(connection: duckdb.DuckDBPyConnection, name: str, since: int) -> Iterator[Row]:
    for first, last in _windows(connection, name, since):
        order = " ORDER BY sequence" if first < last else ""
        for row in run_sql_on(connection, VERSIONS.format(name=name, first=first, last=last, order=order)):
            change = "added" if row["version"] == 1 else "changed"
            yield {"table": name, "change": change, "sequence": row["sequence"], "row_id": row[KEYS.get(name, ROW_KEY)], "row": row}


def _windows(connection: duckdb.DuckDBPyConnection, name: str, since: int) -> Iterator[tuple[int, int]]:
    """Ranges of publishes: each has at most `SORTED_ROWS` rows, or is one publish."""
    window: list[int] = []
    rows = 0
    for count in run_sql_on(connection, COUNTS.format(name=name), None, {"since": since}):
        if window and rows + count["rows"] > SORTED_ROWS:
            yield window[0], window[-1]
            window, rows = [], 0
        window.append(count["sequence"])
        rows += count["rows"]
    if window:
        yield window[0], window[-1]


def _sightings(connection: duckdb.DuckDBPyConnection, name: str, since: int) -> Iterator[Row]:
    for row in run_sql_on(connection, SIGHTINGS, None, {"name": name, "since": since}):
        place = {"table": name, "change": "gone" if row["gone_at"] else "back", "sequence": row["sequence"], "row_id": row["row_id"]}
        yield place | ({"gone_at": row["gone_at"]} if row["gone_at"] else {"seen_at": row["seen_at"]})
