"""Find the WARC files that a user names: plain files, and those inside a WACZ (a zip file with WARCs under `archive/`).

Source: WACZ 1.1.1 (https://specs.webrecorder.net/wacz/1.1.1/).
"""

from __future__ import annotations

import hashlib
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from runtime.code_version import code_version
from schemas.errors import ConfigError, NotFoundError
from storage.warc.window import UnreadableError

_WARC_ENDINGS = (".warc", ".warc.gz", ".warc.zst")
# Raised for zips that cannot be read: damage, an unknown compression, a password, a name in an unknown encoding.
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, ValueError)
MAX_RATIO = 100  # a file in a zip that unpacks to more than this times its packed size, and FREE_BYTES, is a bomb
PAGE_BEGINNING_BYTES = 100
FREE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class WarcSource:
    """A WARC file, or one in a zip. `size` is in bytes, unpacked from the zip; `position` is that in the zip's list of files."""

    path: Path
    member: str | None
    size: int
    position: int = 0

    @property
    def name(self) -> str:
        """The file's name in rows, whose offsets count from its beginning: `crawl.wacz/archive/data.warc.gz` for a file in a zip."""
        name = self.path.name if self.member is None else f"{self.path.name}/{self.member}"
        return name.encode("utf-8", "replace").decode()

    @property
    def identity(self) -> str:
        """A digest of its path, size, time and position, and of the code that reads it: equal ones have equal staged rows."""
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
    """A file in a zip. Seeking back unpacks it again from its beginning. Raises UnreadableError if it cannot be unpacked."""

    seeks_by_reading = True

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        self._archive = archive
        self._info = info
        self._member: IO[bytes] | None = None

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True, but seeking back is slow."""
        return True

    def tell(self) -> int:
        """The position in unpacked bytes."""
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
        """Go to a position."""
        try:
            return self._opened().seek(offset, whence)
        except _BROKEN_ZIP as error:
            raise UnreadableError(f"{self._info.filename} cannot be unpacked again ({error})"[:300]) from error

    def close(self) -> None:
        """Close the file; the zip stays open."""
        if self._member is not None:
            self._member.close()
        super().close()

    def _opened(self) -> IO[bytes]:
        if self._member is None:
            self._member = self._archive.open(self._info)
        return self._member


def find_sources(path: Path) -> list[WarcSource]:
    """The WARC files of one path; those in a WACZ sorted by name.

    Raises NotFoundError, and ConfigError for a web page and for a zip without WARCs.

    A zip with a damaged list of files is read as a WARC file: the records that it holds uncompressed are found.
    """
    if path.is_dir():
        raise NotFoundError(f"{path} is a folder. Name the WARC files in it, as {path / '*.warc.gz'}.")
    if not path.is_file():
        raise NotFoundError(f"There is no WARC file {path}.")
    if _is_page(path):
        raise ConfigError(
            f"{path} is a web page, not a WARC file. Give WARC files of any crawler: `wget --warc-file NAME URL` writes one, too."
        )
    if _is_arc(path):
        raise ConfigError(f"{path} is an ARC file, the format before WARC. Convert it first: `warcio recompress {path.name} NEW.warc.gz`.")
    whole = [WarcSource(path, None, path.stat().st_size)]
    if not zipfile.is_zipfile(path) or _begins_like_a_warc(path):
        return whole
    try:
        with zipfile.ZipFile(path) as archive:
            listed = archive.infolist()
    except _BROKEN_ZIP:
        return whole
    if sum(info.compress_size for info in listed) > path.stat().st_size:
        raise ConfigError(f"{path} is not a WACZ: the files in it overlap, as in a zip bomb.")
    found = [
        WarcSource(path, info.filename, info.file_size, position)
        for position, info in enumerate(listed)
        if info.filename.lower().endswith(_WARC_ENDINGS)
    ]
    if not found:
        raise ConfigError(f"{path} is a zip without WARC files. Give a WACZ, which has them under archive/, or WARC files.")
    return sorted(found, key=lambda source: source.member or "")


def _is_page(path: Path) -> bool:
    """Whether a file is HTML as browsers save it."""
    with path.open("rb") as stream:
        beginning = stream.read(PAGE_BEGINNING_BYTES).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return beginning.startswith((b"<!doctype html", b"<html", b"<!--"))


def _is_arc(path: Path) -> bool:
    """Whether a file is in the Internet Archive's older format, compressed or not."""
    with path.open("rb") as stream:
        beginning = stream.read(PAGE_BEGINNING_BYTES)
    with suppress(zlib.error):
        beginning = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(beginning, PAGE_BEGINNING_BYTES)
    return beginning.startswith(b"filedesc:")


def _begins_like_a_warc(path: Path) -> bool:
    """Whether the file does not begin as a zip does. A WARC that ends with a zip looks like a zip to `zipfile`."""
    with path.open("rb") as stream:
        return not stream.read(4).startswith(b"PK")
