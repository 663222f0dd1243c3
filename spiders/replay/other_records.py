"""Items of the records of a segment that are not replayed: they are kept, in the order of the records."""

from __future__ import annotations

import gzip
import heapq
import json
from collections.abc import Collection, Iterator
from pathlib import Path

from storage.objects.store import ObjectStore

Line = tuple[int, bytes]  # the offset of the record that a line is of, and the line


def keep_other_records(key: str, path: Path, replayed: Collection[int], store: ObjectStore) -> None:
    """Add the lines of a stored file (JSON lines, gzip) to a local one, but for those of the records at the offsets `replayed`."""
    if store.info(key) is None:
        return
    merged = path.with_name(f"{path.name}.merged")
    with store.open(key) as stored, gzip.open(stored, "rb") as earlier, gzip.open(path, "rb") as made:
        kept = (line for line in _lines(earlier) if line[0] not in replayed)
        with merged.open("wb") as target, gzip.GzipFile("", "wb", fileobj=target, mtime=0) as out:
            out.writelines(line for _, line in heapq.merge(kept, _lines(made), key=lambda line: line[0]))
    merged.replace(path)


def _lines(file: gzip.GzipFile) -> Iterator[Line]:
    for line in file:
        yield json.loads(line)["warc_record_offset"], line
