"""The object store in a directory: one file for each object, written under a temporary name and then renamed."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from schemas.config.settings import make_private_folder
from schemas.errors import StorageError, UnavailableError
from storage.objects.store import ObjectInfo, missing_object, valid_key

PARTIAL = re.compile(r"\.[0-9a-f]{16}\.part")
COPY_BYTES = 1024 * 1024
FULL = (errno.ENOSPC, errno.EDQUOT)
REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)


class DirectoryStore:
    """Objects as files under `root`. Files whose name begins with a dot are not objects: they are being written."""

    def __init__(self, root: Path, home: Path | None = None) -> None:
        """If the directory is in `home` and that is missing, the home is made so that only its user can open it."""
        self._root = root
        self._home = home if home is not None and home in root.parents else None

    def put_bytes(self, key: str, data: bytes, if_absent: bool = False) -> bool:
        """Write an object; see ObjectStore."""
        with self._writing(key) as (file, target):
            file.write(data)
            return _rename_into_place(file, target, if_absent=if_absent)

    def put_file(self, key: str, path: Path) -> None:
        """Write an object from a file; see ObjectStore."""
        with path.open("rb") as source, self._writing(key) as (file, target):
            shutil.copyfileobj(source, file, COPY_BYTES)
            _rename_into_place(file, target, if_absent=False)

    def get_bytes(self, key: str) -> bytes:
        """A whole object; see ObjectStore."""
        with self.open(key) as stream:
            return stream.read()

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        """A part of an object; see ObjectStore."""
        with self.open(key) as stream:
            stream.seek(offset)
            return stream.read(length)

    def open(self, key: str) -> BinaryIO:
        """An object as a stream; see ObjectStore."""
        with self._translated_errors(key):
            return self._path(key).open("rb")

    def info(self, key: str) -> ObjectInfo | None:
        """Key and size or None; see ObjectStore."""
        path = self._path(key)
        with self._translated_errors(key):
            try:
                return ObjectInfo(key, path.stat().st_size) if path.is_file() else None
            except (FileNotFoundError, NotADirectoryError):
                return None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Objects by prefix; see ObjectStore."""
        folder = prefix.rpartition("/")[0]
        if folder:
            valid_key(folder)
        return self._walk(f"{folder}/" if folder else "", prefix)

    def delete(self, key: str) -> None:
        """Remove an object; see ObjectStore."""
        with self._translated_errors(key):
            try:
                self._path(key).unlink(missing_ok=True)
            except NotADirectoryError:
                return

    def delete_unfinished(self, before: datetime) -> int:
        """Remove old partial files; see ObjectStore."""
        deleted = 0
        for folder, _, names in os.walk(self._root):
            for name in filter(PARTIAL.fullmatch, names):
                path = Path(folder) / name
                with suppress(OSError):  # its writer has just renamed it
                    if path.stat().st_mtime < before.timestamp():
                        path.unlink()
                        deleted += 1
        return deleted

    def check(self) -> None:
        """Make the directory, write a file to it and read it; see ObjectStore."""
        probe = self._root / f".check-{secrets.token_hex(8)}"
        with self._translated_errors(""):
            self._make(self._root)
            try:
                probe.write_bytes(b"crawlhouse")
                probe.read_bytes()
            finally:
                probe.unlink(missing_ok=True)

    def _make(self, folder: Path) -> None:
        if self._home is not None:
            make_private_folder(self._home)
        folder.mkdir(parents=True, exist_ok=True)

    def _path(self, key: str) -> Path:
        return self._root / valid_key(key)

    def _walk(self, folder: str, prefix: str) -> Iterator[ObjectInfo]:
        with self._translated_errors(folder):
            try:
                entries = list(os.scandir(self._root / folder))
            except (FileNotFoundError, NotADirectoryError):
                return
        objects = (entry for entry in entries if not entry.name.startswith("."))
        named = {folder + entry.name + ("/" if entry.is_dir() else ""): entry for entry in objects}
        for key, entry in sorted(named.items()):
            if key.endswith("/") and (key.startswith(prefix) or prefix.startswith(key)):
                yield from self._walk(key, prefix)
            elif not key.endswith("/") and key.startswith(prefix):
                try:
                    yield ObjectInfo(key, entry.stat().st_size)
                except FileNotFoundError:
                    continue

    @contextmanager
    def _writing(self, key: str) -> Iterator[tuple[BinaryIO, Path]]:
        target = self._path(key)
        temporary = target.with_name(f".{secrets.token_hex(8)}.part")  # PARTIAL
        with self._translated_errors(key):
            self._make(target.parent)
            try:
                with temporary.open("xb") as file:
                    yield file, target
            finally:
                temporary.unlink(missing_ok=True)

    @contextmanager
    def _translated_errors(self, key: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise missing_object(self._root, key) from error
        except OSError as error:
            if error.errno in FULL:
                raise StorageError(f"The disk of {self._root} is full while writing {key}. Free space there and run again.") from error
            if error.errno in REFUSED or not key:
                raise UnavailableError(
                    f"The store {self._root} cannot be used: {error.strerror}. Let this user write there, or set CRAWLHOUSE_STORE."
                ) from error
            raise StorageError(f"The store {self._root} failed at {key}: {error.strerror}.") from error


def _rename_into_place(file: BinaryIO, target: Path, *, if_absent: bool) -> bool:
    """Write the bytes to the disk and give the file its name; False if there is such a file and `if_absent` is set."""
    file.flush()
    os.fsync(file.fileno())
    temporary = Path(file.name)
    if not if_absent:
        temporary.replace(target)
    else:
        try:
            target.hardlink_to(temporary)
        except FileExistsError:
            return False
    _sync_folder(target.parent)
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
