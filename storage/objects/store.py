"""What every object store can do, and which keys are allowed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from schemas.errors import StorageError
from schemas.keys import STAGING_PREFIX

MAX_KEY_BYTES = 1024


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object: its key and its size in bytes."""

    key: str
    size: int


class ObjectStore(Protocol):
    """Objects by key. A directory and S3 behave the same.

    An object is there as a whole or not at all. Methods raise StorageError for a missing object, a full disk or a damaged response, and
    UnavailableError if the store cannot be reached or must not be written.
    """

    def put_bytes(self, key: str, data: bytes, if_absent: bool = False) -> bool:
        """Write an object. With `if_absent`, an existing object stays as it is. Returns whether this call wrote it."""

    def put_file(self, key: str, path: Path) -> None:
        """Write an object from a local file of any size. The file stays."""

    def get_bytes(self, key: str) -> bytes:
        """A whole object."""

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        """`length` bytes from `offset` on; fewer if the object ends before."""

    def open(self, key: str) -> BinaryIO:
        """An object as a seekable binary stream, read in parts. Close it."""

    def info(self, key: str) -> ObjectInfo | None:
        """Key and size, or None if there is no such object."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """All objects whose key begins with `prefix`, each once. The order is the store's: AWS lists by key, SeaweedFS by folder."""

    def delete(self, key: str) -> None:
        """Remove an object. It is not an error if there is none."""

    def delete_unfinished(self, before: datetime) -> int:
        """Remove unfinished objects that writers began before that time and never ended; returns how many."""

    def check(self) -> None:
        """Raise UnavailableError or StorageError unless the store can be reached, written and read."""


def valid_key(key: str) -> str:
    """The key itself, if every store can hold it.

    Raises StorageError for an empty or overlong key, control characters, a backslash, and parts that are empty or begin with a dot.
    """
    parts = key.split("/")
    if not key or len(key.encode()) > MAX_KEY_BYTES or any(not part or part.startswith(".") for part in parts):
        raise StorageError(f"{key!r} is not an object key: no part may be empty or begin with a dot; at most {MAX_KEY_BYTES} bytes.")
    if "\\" in key or not key.isprintable():
        raise StorageError(f"{key!r} is not an object key: backslashes and control characters are not allowed.")
    return key


def missing_object(store: object, key: str) -> StorageError:
    """The error for an object that is not there. What is staged may be deleted while a command works on it."""
    staged = " An erasure or maintenance may have deleted it: run the same command again." if key.startswith(STAGING_PREFIX) else ""
    return StorageError(f"The store {store} has no object {key}.{staged}")
