"""Which data files may have a value in a column, by the Bloom filters in them. Where these are is kept in a file of the home.

To search a file, DuckDB parses its footer, which tells of sixty columns: most of a look-up in hundreds of files.
"""

from __future__ import annotations

import base64
import json
import os
from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any
from zlib import crc32

import duckdb

from schemas.config.settings import Settings
from storage.database.private_files import make_private_file
from storage.lake.parquet.bloom_filters import Place, bits_of, key_of, may_have
from storage.lake.reader.lake_objects import path_of
from storage.lake.reader.lake_table import LakeTable
from storage.lake.sources import is_read_by_duckdb, quoted

NAME = "file_filters.json"
FORM = 1  # of the kept file
COLUMNS = ("url", "canonical_url", "article_id")
SMALL = "duplicate_of"  # few rows have it, and no file has a Bloom filter of it: the checksums of its values are kept
CHECKSUM = "I"
OF_FILTER = ("file_name", "path_in_schema", "bloom_filter_offset", "bloom_filter_length")


@dataclass(frozen=True, slots=True)
class _Filters:
    """The Bloom filters of a data file by column, one for each row group that has values; of a column that is missing nothing is known.

    `originals` are the checksums of the values of SMALL, base64; None: not known.
    """

    blooms: dict[str, list[Place]] = field(default_factory=dict)
    originals: str | None = None

    def may_have(self, path: Path, column: str, value: str) -> bool:
        """Whether the file may have the value."""
        if column == SMALL:
            return self.originals is None or crc32(value.encode()) in array(CHECKSUM, base64.b64decode(self.originals))
        places = self.blooms.get(column)
        return places is None or may_have(path, places, key_of(value))


class FileFilters:
    """The filters of the data files of some tables."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, settings: Settings, tables: Iterable[LakeTable]) -> None:
        """Reads what the home has of them, and the footers of the other files. Nothing is read where it could not be kept."""
        self._known: dict[str, _Filters] = {}
        if not os.access(settings.home, os.W_OK):
            return
        of_table = {file: table.name for table in tables for file in table.files if is_read_by_duckdb(file)}
        kept = _read(settings.home / NAME)
        self._known = {file: kept[file] for file in of_table if file in kept}
        if new := sorted(of_table.keys() - kept.keys()):
            self._known |= _filters_of(connection, new, [file for file in new if of_table[file] == "articles"])
            _write(settings.home / NAME, self._known)

    def narrowed(self, table: LakeTable, column: str, value: str) -> dict[str, int]:
        """The table's files that may have the value, with their sizes."""
        return {file: size for file, size in table.files.items() if self._may_have(file, column, value)}

    def _may_have(self, file: str, column: str, value: str) -> bool:
        known = self._known.get(file)
        try:
            return known is None or known.may_have(Path(path_of(file)), column, value)
        except (OSError, ValueError, TypeError):  # the kept file is damaged, or DuckDB says what is wrong with the data file
            return True


def _filters_of(connection: duckdb.DuckDBPyConnection, files: list[str], with_originals: list[str]) -> dict[str, _Filters]:
    """The filters of data files. A row group in which a column is NULL needs none of it."""
    footers = f"parquet_metadata([{quoted(map(path_of, files))}])"
    wanted = "list_contains($1, path_in_schema) AND stats_null_count IS DISTINCT FROM num_values"
    sql = f"SELECT {', '.join(OF_FILTER)} FROM {footers} WHERE {wanted} ORDER BY file_name, row_group_id"  # noqa: S608 quoted
    rows = connection.execute(sql, [COLUMNS]).fetchall()
    places = {name: list(group) for name, group in groupby(rows, key=lambda row: str(row[0]))}
    originals = dict(_originals(connection, with_originals))
    return {file: _Filters(_blooms(path_of(file), places.get(path_of(file), [])), originals.get(path_of(file))) for file in files}


def _blooms(path: str, rows: Iterable[tuple[str, str, int | None, int | None]]) -> dict[str, list[Place]]:
    found: dict[str, list[Place]] = {column: [] for column in COLUMNS}
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for _, column, offset, length in rows:
            place = bits_of(file, offset, length) if offset and length else None
            if place is None:  # of an earlier release, or of another program: a row group without a filter may have any value
                found.pop(column, None)
            elif column in found:
                found[column].append(place)
    finally:
        os.close(file)
    return found


def _originals(connection: duckdb.DuckDBPyConnection, files: list[str]) -> Iterator[tuple[str, str]]:
    """The checksums of the originals that the rows of each file name; read from each file alone, because old ones may lack the column."""
    for file in files:
        source = f"read_parquet([{quoted([path_of(file)])}], hive_partitioning=false)"
        with suppress(duckdb.BinderException):
            found = connection.execute(f"SELECT DISTINCT {SMALL} FROM {source} WHERE {SMALL} IS NOT NULL").fetchall()  # noqa: S608 quoted
            checksums = array(CHECKSUM, sorted({crc32(value.encode()) for (value,) in found}))
            yield path_of(file), base64.b64encode(checksums.tobytes()).decode()


def _read(kept: Path) -> Mapping[str, _Filters]:
    """What the file has; nothing if it is not there, damaged or of another form."""
    try:
        found: dict[str, Any] = json.loads(kept.read_bytes())  # Any: JSON
        if found["form"] != [FORM, array(CHECKSUM).itemsize]:
            return {}
        return {file: _Filters(**filters) for file, filters in found["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write(kept: Path, known: Mapping[str, _Filters]) -> None:
    """Keep the filters of these files alone."""
    partial = kept.with_name(f".{NAME}.{os.getpid()}")
    content = {"form": [FORM, array(CHECKSUM).itemsize], "files": {file: asdict(filters) for file, filters in known.items()}}
    with suppress(OSError):
        try:
            make_private_file(partial)
            partial.write_text(json.dumps(content), encoding="utf-8")
            partial.replace(kept)
        finally:
            partial.unlink(missing_ok=True)
