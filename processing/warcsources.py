"""The WARC files that a user names: files, and those inside a WACZ (a zip with its WARCs under `archive/`).

Source: WACZ 1.1.1 (https://specs.webrecorder.net/wacz/1.1.1/).
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from schemas.codeversion import code_version
from schemas.errors import ConfigError, NotFoundError

_WARC_ENDINGS = (".warc", ".warc.gz", ".warc.zst")


@dataclass(frozen=True, slots=True)
class WarcSource:
    """One WARC file, or one in a zip; `size` is in bytes, uncompressed by the zip."""

    path: Path
    member: str | None
    size: int

    @property
    def name(self) -> str:
        """What rows call the file: offsets count from its beginning. `crawl.wacz/archive/data.warc.gz` is a member."""
        return self.path.name if self.member is None else f"{self.path.name}/{self.member}"

    @property
    def identity(self) -> str:
        """What it is known by: its place, size and time, and the code that reads it."""
        info = self.path.stat()
        known = f"{self.path.resolve()} {info.st_size} {info.st_mtime_ns} {self.member or ''} {code_version()}"
        return hashlib.sha256(known.encode("utf-8", "surrogateescape")).hexdigest()[:16]

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """A stream of its bytes, from the beginning."""
        if self.member is None:
            with self.path.open("rb") as stream:
                yield stream
            return
        with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as member:
            yield cast("BinaryIO", member)


def find_sources(path: Path) -> list[WarcSource]:
    """The WARC files of one named file, a WACZ's by name. Raises NotFoundError; ConfigError for a zip without WARCs."""
    if not path.is_file():
        raise NotFoundError(f"There is no WARC file {path}.")
    if not zipfile.is_zipfile(path) or _begins_like_a_warc(path):
        return [WarcSource(path, None, path.stat().st_size)]
    with zipfile.ZipFile(path) as archive:
        found = [
            WarcSource(path, info.filename, info.file_size) for info in archive.infolist() if info.filename.lower().endswith(_WARC_ENDINGS)
        ]
    if not found:
        raise ConfigError(f"{path} is a zip without WARC files. Give a WACZ, which has them under archive/, or WARC files.")
    return sorted(found, key=lambda source: source.member or "")


def _begins_like_a_warc(path: Path) -> bool:
    """A WARC may hold a zip at its end, which makes it look like one."""
    with path.open("rb") as stream:
        return not stream.read(4).startswith(b"PK")
