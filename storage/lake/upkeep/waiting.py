"""Data files that process runs have written and will add when they are published: nothing refers to them yet, but their descriptions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pyiceberg.manifest import DataFile

from schemas.keys import STAGING_PREFIX, data_files_key, data_files_prefix
from storage.lake.data_files import decode_files, encode_files
from storage.objects.store import ObjectStore


def put_waiting(store: ObjectStore, process_run: str, table: str, digest: str, files: Sequence[DataFile]) -> None:
    """Describe the data files that were written for the rows of a digest. From now on maintenance does not delete them."""
    store.put_bytes(data_files_key(process_run, table, digest), encode_files(files))


def get_waiting(store: ObjectStore, process_run: str, table: str, digest: str) -> list[DataFile] | None:
    """The data files that wait for the rows of this digest, or None."""
    key = data_files_key(process_run, table, digest)
    return None if store.info(key) is None else decode_files(store.get_bytes(key))


def waiting_files(store: ObjectStore) -> set[str]:
    """The paths of all data files that wait."""
    return {file.file_path for key in _descriptions(store) for file in decode_files(store.get_bytes(key))}


def _descriptions(store: ObjectStore) -> Iterator[str]:
    for info in store.list(STAGING_PREFIX):
        if info.key.startswith(data_files_prefix(info.key.split("/")[1])):
            yield info.key
