"""Items of users' spiders on their way to the store: gathered while a page is parsed, then written next to the segment of its capture.

Items are registered in the same transaction as their captures: the items of a segment count when the segment is registered. With them goes
what is missing of them (`ItemProblem`), so that nobody takes a page whose callback failed for a page without items.
`schemas.items` describes the lines.
"""

from __future__ import annotations

import gzip
import json
import tempfile
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.errors import StorageError
from schemas.items import ItemType, ItemTypes, ProblemRule, sorted_types
from storage.index.rows import CaptureRow

ITEMS_SUFFIX = ".items"
PACKED_SUFFIX = ".packed"  # next to the items file
PROBLEMS_SUFFIX = ".problems"  # as above
BUFFER_BYTES = 256 * 1024  # what the items of one page take in memory, before they go to a file: most pages have fewer


class ItemBuffer:
    """The items of one page, in memory while they are few, in an unnamed file in `folder` when they are many."""

    def __init__(self, folder: Path | None = None) -> None:
        self.types: set[ItemType] = set()
        self._folder = folder
        self._count = 0
        self._problems = 0
        self._file: tempfile.SpooledTemporaryFile[bytes] | None = None

    def __len__(self) -> int:
        return self._count

    @property
    def is_empty(self) -> bool:
        """Whether there are neither items nor problems."""
        return not self._count and not self._problems

    def append(self, type_name: str | None, item: bytes, item_type: ItemType | None = None) -> None:
        """Adds an item (JSON), the name of its type, and the definition of its class. Raises StorageError when the disk is full."""
        if item_type is not None:
            self.types.add(item_type)
        head = f'"position": {self._count}, "type": {json.dumps(type_name, ensure_ascii=False)}, "item": '
        self._write(head.encode() + item + b"}\n")
        self._count += 1

    def add_problem(self, rule: ProblemRule, problem: str, type_name: str | None = None, item: bytes | None = None) -> None:
        """Add what is missing: an item, as far as it is JSON, or without it any number of items. Raises StorageError as `append` does."""
        values = _json({"rule": rule, "problem": problem, "type": type_name})
        self._write(b'"item_problem": ' + values[:-1].encode() + b', "item": ' + (item or b"null") + b"}}\n")
        self._problems += 1

    def _write(self, line: bytes) -> None:
        try:
            if self._file is None:
                self._file = tempfile.SpooledTemporaryFile(BUFFER_BYTES, dir=str(self._folder) if self._folder else None)  # noqa: SIM115 closed below
                weakref.finalize(self, self._file.close)
            self._file.write(line)
        except OSError as error:
            raise StorageError(f"Writing items to {self._folder} failed: {error.strerror}. Free space there and run again.") from error

    def lines(self) -> Iterator[bytes]:
        """The items as ends of lines, which say nothing of the capture yet."""
        if self._file is not None:
            self._file.seek(0)
            yield from self._file


def append_items(path: Path, row: CaptureRow, items: ItemBuffer, written_types: set[ItemType]) -> None:
    """Adds the items of a capture to a segment's file, after the types that it does not have yet. Raises StorageError: the disk is full."""
    pointer = {"warc_filename": row.warc_filename, "warc_record_offset": row.warc_record_offset}
    origin = {"url": row.url, "fetched_at": row.fetch_time.isoformat(), "crawl_run": row.crawl_run, **pointer}
    head = (_json({**origin, "warc_record_length": row.warc_record_length})[:-1] + ", ").encode()
    try:
        with path.open("ab") as file:
            for item_type in items.types - written_types:
                line = {**pointer, "item_type": item_type.model_dump(exclude_defaults=True)}
                file.write(_json(line).encode() + b"\n")
            file.writelines(head + line for line in items.lines())
    except OSError as error:
        raise StorageError(f"Writing {path} failed: {error.strerror}. Free space there and run again.") from error
    written_types |= items.types


@dataclass(frozen=True, slots=True)
class PackedItems:
    """The items of a segment as they go to the store: how many, their file (JSON lines, gzip), their types, and a file of problems."""

    count: int
    path: Path
    types: ItemTypes
    problems: Path | None = None


def pack_items(path: Path, rows: Sequence[CaptureRow]) -> PackedItems:
    """Packs the items that were made of these captures, line by line. A torn line, or one of another capture, is left out."""
    packed, problems, counts, types = path.with_suffix(PACKED_SUFFIX), path.with_suffix(PROBLEMS_SUFFIX), [0, 0], set[ItemType]()
    if not path.exists():
        return PackedItems(0, packed, ItemTypes())
    try:
        with _gzip(packed) as file, _gzip(problems) as other:
            for line, values in _whole_lines(path, frozenset(row.warc_record_offset for row in rows)):
                if "item_type" in values:
                    types.add(ItemType.model_validate(values["item_type"]))
                elif "item_problem" in values:
                    other.write(_json({"warc_record_offset": values["warc_record_offset"], **values["item_problem"]}).encode() + b"\n")
                    counts[1] += 1
                else:
                    file.write(line)
                    counts[0] += 1
    except OSError as error:
        raise StorageError(f"Writing {packed} failed: {error.strerror}. Free space there and run again.") from error
    return PackedItems(counts[0], packed, ItemTypes(types=sorted_types(types)), problems if counts[1] else None)


@contextmanager
def _gzip(path: Path) -> Iterator[gzip.GzipFile]:
    """A new file whose bytes depend on its content only."""
    with path.open("wb") as target, gzip.GzipFile("", "wb", fileobj=target, mtime=0) as file:
        yield file


def _whole_lines(path: Path, offsets: frozenset[int]) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """The lines about captures at these offsets, and their values."""
    with path.open("rb") as lines:
        for line in lines:
            if not line.endswith(b"\n"):  # a crash tore it
                return
            values: dict[str, Any] = json.loads(line)  # Any: JSON
            if values["warc_record_offset"] in offsets:
                yield line, values


def _json(values: Mapping[str, object]) -> str:
    return json.dumps(values, ensure_ascii=False)
