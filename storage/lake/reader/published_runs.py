"""The table of published process runs in a DuckDB connection, and a file of the home that has it until a run is published.

`runs` has a data file for each publication. Reading a hundred of them takes longer than most queries.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

import duckdb

from schemas.config.settings import Settings
from storage.database.private_files import make_private_file
from storage.lake.reader.lake_table import LakeTable
from storage.lake.sources import SOURCES, quoted_text

NAME = "published_runs.parquet"
MIN_FILES = 5  # fewer are read as quickly as the file of the home
REMOVING = "kind IN ('rollback', 'reprocess', 'erase')"  # the runs that remove rows


def add_published(connection: duckdb.DuckDBPyConnection, settings: Settings, runs: LakeTable, source: str) -> bool:
    """Make the table `published` in SOURCES; whether one of the runs removed rows. `source` is the text after FROM for `runs`."""
    kept, key = settings.home / NAME, _key(runs)
    if len(runs.files) < MIN_FILES or not _read(connection, kept, key):
        connection.execute(f"""
            CREATE OR REPLACE TABLE {SOURCES}.published AS
            SELECT process_run, min(sequence) AS sequence, min(ingested_at) AS ingested_at, bool_or({REMOVING}) AS removes
            FROM {source} GROUP BY process_run
            """)  # noqa: S608 our own names
        if len(runs.files) >= MIN_FILES:
            _write(connection, kept, key)
    return bool(connection.execute(f"SELECT bool_or(removes) FROM {SOURCES}.published").fetchall()[0][0])  # noqa: S608 our own names


def _read(connection: duckdb.DuckDBPyConnection, kept: Path, key: str) -> bool:
    """Make the table from the file of the home; whether that could be read and is of the same data files."""
    place = quoted_text(str(kept))
    try:
        known = connection.execute(f"SELECT value FROM parquet_kv_metadata({place}) WHERE key = 'of'").fetchall()  # noqa: S608 quoted
        if [value for (value,) in known] != [key.encode()]:
            return False
        connection.execute(f"CREATE TABLE {SOURCES}.published AS FROM read_parquet({place}, hive_partitioning=false)")
    except duckdb.Error:  # it is not there, or damaged
        return False
    return True


def _write(connection: duckdb.DuckDBPyConnection, kept: Path, key: str) -> None:
    """Write the file. Nothing is written in a home that cannot be written."""
    partial = kept.with_name(f".{NAME}.{os.getpid()}")
    options = f"FORMAT parquet, USE_TMP_FILE false, KV_METADATA {{of: {quoted_text(key)}}}"
    with suppress(OSError, duckdb.Error):
        try:
            make_private_file(partial)
            connection.execute(f"COPY {SOURCES}.published TO {quoted_text(str(partial))} ({options})")
            partial.replace(kept)
        finally:
            partial.unlink(missing_ok=True)


def _key(runs: LakeTable) -> str:
    """Names the data files of `runs`. A data file never changes."""
    return hashlib.sha256("\n".join(runs.files).encode()).hexdigest()
