"""The data files of a snapshot, from its manifests.

Source: Iceberg table specification, manifests and manifest lists: https://iceberg.apache.org/spec/#manifests
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import fastavro
from cachetools import LRUCache

from schemas.config.settings import Settings
from schemas.errors import StorageError
from storage.lake.reader.lake_objects import read_object

DATA, DELETED = 0, 2  # a manifest's content; an entry's status
CACHED_MANIFESTS = 500
# What is read of an entry. The statistics of each column, which are most of a manifest, are skipped.
ENTRY = fastavro.parse_schema(
    {
        "type": "record",
        "name": "manifest_entry",
        "fields": [
            {"name": "status", "type": "int"},
            {
                "name": "data_file",
                "type": {
                    "type": "record",
                    "name": "r2",
                    "fields": [{"name": "file_path", "type": "string"}, {"name": "file_size_in_bytes", "type": "long"}],
                },
            },
        ],
    }
)


def live_files(settings: Settings, table: str, manifest_list: str) -> dict[str, int]:
    """The data files of a snapshot and their sizes in bytes, sorted by name.

    Raises OSError, and StorageError if another program has written files of deleted rows.
    """
    files: dict[str, int] = {}
    for manifest in _records(read_object(settings, manifest_list)):
        if manifest.get("content", DATA) != DATA:
            raise StorageError(
                f"The table '{table}' has files of deleted rows, written by another program: crawlhouse does not read them. "
                "Let that program rewrite the table's data files (copy-on-write)."
            )
        files |= _files_of(settings, manifest["manifest_path"])
    return dict(sorted(files.items()))


def _files_of(settings: Settings, location: str) -> dict[str, int]:
    """The live data files that a manifest lists. A manifest never changes, so a process reads it once."""
    if (known := _known_manifests.get(location)) is None:
        known = {
            entry["data_file"]["file_path"]: entry["data_file"]["file_size_in_bytes"]
            for entry in _records(read_object(settings, location), ENTRY)
            if entry["status"] != DELETED
        }
        _known_manifests[location] = known
    return known


_known_manifests: LRUCache[str, dict[str, int]] = LRUCache(CACHED_MANIFESTS)


def _records(data: bytes, schema: Any = None) -> Iterator[dict[str, Any]]:  # Any: fastavro's schema, and Avro's own types
    reader = fastavro.reader(io.BytesIO(data), schema)
    yield from reader  # type: ignore[misc]  # records here are always structures
