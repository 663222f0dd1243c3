"""Writes a WACZ: stored captures as WARC files in a zip, with index and list of pages, as replay programs open it.

Records are copied byte for byte, a response with its request and metadata. Memory holds the index of one segment.
Source: WACZ 1.1.1 (https://specs.webrecorder.net/wacz/1.1.1/); its index is compressed in blocks, as py-wacz writes it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, BinaryIO

from runtime.code_version import code_version
from schemas.errors import StorageError
from schemas.keys import crawl_run_of, index_key_of
from schemas.numbers import plural
from storage.index.cdxj import write_cdxj
from storage.index.rows import CaptureRow, read_index
from storage.objects.store import ObjectStore
from storage.warc.records import WARC_FIELDS, head, member, record_id, warc_date, warc_fields
from storage.warc.removed_segments import read_removed

COPY_BYTES = 1 << 20
MAX_MEMBER_BYTES = 1 << 20  # of the first record of a segment, which describes it
INDEX_LINES = 3_000  # in a block, as others have it: a replay program reads one block for a URL
ARCHIVE = "archive/data.warc.gz"
HTML = frozenset({"text/html", "application/xhtml+xml"})


Wanted = Iterable[tuple[str, Mapping[int, str | None]]]  # segments, each once: the offsets of captures, with the titles of their pages


@dataclass(frozen=True, slots=True)
class _Resource:
    """A file in the zip."""

    path: str
    size: int
    sha256: str

    def described(self) -> Mapping[str, object]:
        return {"name": self.path.rpartition("/")[2], "path": self.path, "hash": f"sha256:{self.sha256}", "bytes": self.size}


class _ZipFile:
    """A file that is written into the zip; its size and digest are counted."""

    def __init__(self, archive: zipfile.ZipFile, path: str) -> None:
        self._path = path
        self._digest = hashlib.sha256()
        self._file: IO[bytes] = archive.open(zipfile.ZipInfo(path, _now().timetuple()[:6]), "w", force_zip64=True)
        self.size = 0

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)

    def close(self) -> _Resource:
        """End the file."""
        self._file.close()
        return _Resource(self._path, self.size, self._digest.hexdigest())


def write_wacz(
    path: Path,
    wanted: Wanted,
    store: ObjectStore,
    title: str,
    folder: Path,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Write the wanted captures to `path`; returns how many. `wanted` are segments, each once, with the offsets and titles of its captures.

    A capture that a wanted revisit record refers to is copied too, if its segment is there, since replay needs it. `folder` is for
    temporary files. Raises StorageError for a capture that is not in the index of its segment, UnavailableError.
    """
    copied = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        warc = _ZipFile(archive, ARCHIVE)
        warc.write(_warcinfo(title))
        pages = (folder / "pages.jsonl").open("w", encoding="utf-8")
        pages.write(json.dumps({"format": "json-pages-1.0", "id": "pages", "title": "All Pages"}) + "\n")

        def rows() -> Iterator[CaptureRow]:
            nonlocal copied
            for row, page_title in _copied(wanted, store, warc):
                if _is_page(row):
                    pages.write(_page_line(row, page_title))
                copied += 1
                progress(copied)
                yield row

        with pages:
            write_cdxj(rows(), folder / "index.cdxj")
        resources = [warc.close(), *_write_index(archive, folder / "index.cdxj")]
        resources.append(_write_file(archive, "pages/pages.jsonl", folder / "pages.jsonl"))
        _write_package(archive, resources, title)
    return copied


def _copied(wanted: Wanted, store: ObjectStore, warc: _ZipFile) -> Iterator[tuple[CaptureRow, str | None]]:
    """Copy the captures, and then those that copied revisit records refer to."""
    done: set[tuple[str, int]] = set()
    missing: dict[str, dict[int, str | None]] = {}
    for filename, offsets in wanted:
        for source, row in _copy_segment(filename, offsets, store, warc):
            done.add((filename, source.warc_record_offset))
            yield row, offsets[source.warc_record_offset]
            if source.refers_to_filename is not None and source.refers_to_offset is not None:
                missing.setdefault(source.refers_to_filename, {})[source.refers_to_offset] = None
    removed = read_removed(store)
    for filename, offsets in sorted(missing.items()):
        if removed.covers(crawl_run_of(filename)):
            continue
        rest = {offset: None for offset in offsets if (filename, offset) not in done}
        for _, row in _copy_segment(filename, rest, store, warc) if rest else ():
            yield row, None


def _copy_segment(
    filename: str, offsets: Mapping[int, str | None], store: ObjectStore, warc: _ZipFile
) -> Iterator[tuple[CaptureRow, CaptureRow]]:
    """Copy captures of one segment, each with the records before it that belong to it; their rows before and after."""
    found = 0
    with store.open(filename) as stream:
        start = _first_member(stream)
        for row in read_index(store.get_bytes(index_key_of(filename))):
            end = row.warc_record_offset + row.warc_record_length
            if row.warc_record_offset in offsets:
                found += 1
                offset = warc.size + row.warc_record_offset - start
                _copy_bytes(stream, start, end, warc)
                yield row, replace(row, warc_filename=ARCHIVE.rpartition("/")[2], warc_record_offset=offset)
            start = end
    if found < len(offsets):
        raise StorageError(
            f"{index_key_of(filename)} lacks {plural(len(offsets) - found, 'capture')} of its segment. Restore it from a backup."
        )


def _first_member(stream: BinaryIO) -> int:
    """The length of the first record, which describes the segment."""
    data = stream.read(MAX_MEMBER_BYTES)
    decompressor = zlib.decompressobj(wbits=31)
    try:
        block = decompressor.decompress(data)
    except zlib.error as error:
        raise StorageError(f"A segment is damaged at its beginning: {error}. Restore it from a backup.") from error
    is_warcinfo = b"warc-type: warcinfo" in block[:1000].lower()
    return len(data) - len(decompressor.unused_data) if decompressor.eof and is_warcinfo else 0


def _copy_bytes(stream: BinaryIO, start: int, end: int, warc: _ZipFile) -> None:
    stream.seek(start)
    left = end - start
    while left and (part := stream.read(min(left, COPY_BYTES))):
        warc.write(part)
        left -= len(part)
    if left:
        raise StorageError(f"A segment ends {plural(left, 'byte')} too early. Restore it from a backup.")


def _warcinfo(title: str) -> bytes:
    date = warc_date(_now())
    block = warc_fields([("software", f"crawlhouse/{code_version()}"), ("format", "WARC File Format 1.1"), ("description", title)])
    name = ARCHIVE.rpartition("/")[2]
    fields = [
        ("WARC-Record-ID", record_id("warcinfo", name, date, "")),
        ("WARC-Date", date),
        ("WARC-Filename", name),
        ("Content-Type", WARC_FIELDS),
    ]
    return member(head("warcinfo", fields, len(block)), block)


def _is_page(row: CaptureRow) -> bool:
    mime = row.content_mime_detected or row.content_mime_type
    return row.record_type != "conversion" and row.kind == "page" and row.fetch_status in {200, 304} and (mime in HTML or mime is None)


def _page_line(row: CaptureRow, title: str | None) -> str:
    identity = hashlib.sha256(f"{row.url} {row.fetch_time}".encode("utf-8", "surrogatepass")).hexdigest()[:22]
    page = {"id": identity, "url": row.url, "ts": f"{row.fetch_time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "title": title or row.url}
    return json.dumps(page, ensure_ascii=False) + "\n"


def _write_index(archive: zipfile.ZipFile, path: Path) -> list[_Resource]:
    """The lines of the index in compressed blocks, and where each block begins."""
    blocks = _ZipFile(archive, "indexes/index.cdx.gz")
    places = [f"!meta 0 {json.dumps({'format': 'cdxj-gzip-1.0', 'filename': 'index.cdx.gz'})}\n"]
    with path.open(encoding="utf-8") as lines:
        while chunk := list(islice(lines, INDEX_LINES)):
            block, (key, time, _) = gzip.compress("".join(chunk).encode(), mtime=0), chunk[0].split(" ", 2)
            place = {"offset": blocks.size, "length": len(block), "digest": f"sha256:{hashlib.sha256(block).hexdigest()}"}
            places.append(f"{key} {time} {json.dumps(place | {'filename': 'index.cdx.gz'})}\n")
            blocks.write(block)
    listed = blocks.close()
    index = _ZipFile(archive, "indexes/index.idx")
    index.write("".join(places).encode())
    return [listed, index.close()]


def _write_file(archive: zipfile.ZipFile, name: str, path: Path) -> _Resource:
    file = _ZipFile(archive, name)
    with path.open("rb") as source:
        while part := source.read(COPY_BYTES):
            file.write(part)
    return file.close()


def _write_package(archive: zipfile.ZipFile, resources: Iterable[_Resource], title: str) -> None:
    """The description of the zip, and its digest."""
    package = {
        "profile": "data-package",
        "wacz_version": "1.1.1",
        "title": title,
        "created": f"{_now():%Y-%m-%dT%H:%M:%SZ}",
        "software": f"crawlhouse/{code_version()}",
        "resources": [resource.described() for resource in resources],
    }
    text = json.dumps(package, indent=2).encode()
    described = _ZipFile(archive, "datapackage.json")
    described.write(text)
    described.close()
    digest = _ZipFile(archive, "datapackage-digest.json")
    digest.write(json.dumps({"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(text).hexdigest()}"}).encode())
    digest.close()


def _now() -> datetime:
    return datetime.now(UTC)
