"""The WARC files that a user names: files, and those inside a WACZ (a zip with its WARCs under `archive/`).

Source: WACZ 1.1.1 (https://specs.webrecorder.net/wacz/1.1.1/).
"""

from __future__ import annotations

import hashlib
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from runtime.code_version import code_version
from schemas.errors import ConfigError, NotFoundError
from storage.warc.window import UnreadableError

_WARC_ENDINGS = (".warc", ".warc.gz", ".warc.zst")
# What is wrong with a zip that cannot be read: damage, an unknown compression, a password, a name that is no text.
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, ValueError)
MAX_RATIO = 100  # a WARC file in a zip may unpack to so many times its size there, and FREE_BYTES: more is a bomb
FREE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class WarcSource:
    """One WARC file, or one in a zip; `size` is in bytes, uncompressed by the zip. `place` is where the zip's list has it."""

    path: Path
    member: str | None
    size: int
    position: int = 0

    @property
    def name(self) -> str:
        """What rows call the file: offsets count from its beginning. `crawl.wacz/archive/data.warc.gz` is a member."""
        name = self.path.name if self.member is None else f"{self.path.name}/{self.member}"
        return name.encode("utf-8", "replace").decode()

    @property
    def identity(self) -> str:
        """What it is known by: its place, size and time, and the code that reads it."""
        info = self.path.stat()
        known = f"{self.path.resolve()} {info.st_size} {info.st_mtime_ns} {self.member or ''} {self.position} {code_version()}"
        return hashlib.sha256(known.encode("utf-8", "surrogateescape")).hexdigest()[:16]

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """A stream of its bytes, from the beginning."""
        if self.member is None:
            with self.path.open("rb") as stream:
                yield stream
            return
        with zipfile.ZipFile(self.path) as archive:
            yield cast("BinaryIO", _ZipMember(archive, archive.infolist()[self.position]))


class _ZipMember(io.RawIOBase):
    """A file in a zip. To go back in it means to unpack it from its beginning. Raises UnreadableError where it cannot be unpacked."""

    seeks_by_reading = True

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        self._archive = archive
        self._info = info
        self._member: IO[bytes] | None = None

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is, at a cost."""
        return True

    def tell(self) -> int:
        """How many unpacked bytes stand before the position."""
        return 0 if self._member is None else self._member.tell()

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size`."""
        try:
            data = self._opened().read(size)
        except _BROKEN_ZIP as error:
            raise UnreadableError(f"cut off: {self._info.filename} cannot be unpacked further ({error})"[:300]) from error
        if self.tell() > FREE_BYTES + MAX_RATIO * self._info.compress_size:
            raise UnreadableError(f"a bomb: {self._info.filename} unpacks to more than {MAX_RATIO} times its size"[:300])
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position that was read before."""
        try:
            return self._opened().seek(offset, whence)
        except _BROKEN_ZIP as error:
            raise UnreadableError(f"{self._info.filename} cannot be unpacked again ({error})"[:300]) from error

    def close(self) -> None:
        """Close it; the zip stays open."""
        if self._member is not None:
            self._member.close()
        super().close()

    def _opened(self) -> IO[bytes]:
        if self._member is None:
            self._member = self._archive.open(self._info)
        return self._member


def find_sources(path: Path) -> list[WarcSource]:
    """The WARC files of one named file, a WACZ's by name. Raises NotFoundError; ConfigError for a zip without WARCs.

    A zip whose list of files is damaged is read as a WARC file, which finds the records that it holds uncompressed.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no WARC file {path}.")
    whole = [WarcSource(path, None, path.stat().st_size)]
    if not zipfile.is_zipfile(path) or _begins_like_a_warc(path):
        return whole
    try:
        with zipfile.ZipFile(path) as archive:
            listed = archive.infolist()
    except _BROKEN_ZIP:
        return whole
    if sum(info.compress_size for info in listed) > path.stat().st_size:
        raise ConfigError(f"{path} is no WACZ: the files in it overlap, as in a zip bomb.")
    found = [
        WarcSource(path, info.filename, info.file_size, position)
        for position, info in enumerate(listed)
        if info.filename.lower().endswith(_WARC_ENDINGS)
    ]
    if not found:
        raise ConfigError(f"{path} is a zip without WARC files. Give a WACZ, which has them under archive/, or WARC files.")
    return sorted(found, key=lambda source: source.member or "")


def _begins_like_a_warc(path: Path) -> bool:
    """A WARC may hold a zip at its end, which makes it look like one."""
    with path.open("rb") as stream:
        return not stream.read(4).startswith(b"PK")
