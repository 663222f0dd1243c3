"""The CDXJ file of a crawl run, made from its capture index: the same lines as `cdxj-indexer --sort --post-append` writes."""

from __future__ import annotations

import heapq
import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import IO

from runtime.scratch import scratch_folder
from schemas.keys import cdxj_key
from storage.index.rows import CaptureRow
from storage.objects.store import ObjectStore

SORTED_LINES = 50_000  # sorted in memory at a time: some 20 MB
MERGED_FILES = 64  # open at once for each level of merging; two levels hold 200 million lines


def write_cdxj(rows: Iterable[CaptureRow], path: Path) -> int:
    """Write rows, in any order and number, as sorted lines to `path`; returns the number of lines.

    Chunks of SORTED_LINES are sorted and written to temporary files next to `path`, then merged, MERGED_FILES at a time. So neither memory
    nor open files grow with the rows.
    """
    with ExitStack() as files:
        levels: list[list[IO[str]]] = [[]]  # each file of a level has MERGED_FILES times the lines of one below
        for lines in _sorted_chunks(rows):
            levels[0].append(_spill(lines, files, path.parent))
            _merge_full(levels, files, path.parent)
        count, last = 0, ""
        out = files.enter_context(path.open("w", encoding="utf-8", newline="\n"))
        for line in heapq.merge(*(file for level in levels for file in level)):
            if line != last:
                out.write(line)
                count += 1
            last = line
    return count


def store_cdxj(crawl: str, crawl_run: str, rows: Iterable[CaptureRow], store: ObjectStore, folder: Path | None = None) -> None:
    """Write a run's CDXJ file to the store. It is sorted in a temporary folder, inside `folder` if given."""
    with scratch_folder(folder) as scratch:
        path = scratch / "index.cdxj"
        write_cdxj(rows, path)
        store.put_file(cdxj_key(crawl, crawl_run), path)


def cdxj_line(row: CaptureRow) -> str:
    """One line with its newline: SURT key, 14-digit timestamp, JSON."""
    fields = {
        "url": row.url,
        "mime": "warc/revisit" if row.record_type == "revisit" else row.content_mime_type,
        "status": str(row.fetch_status),
        "digest": row.content_digest,
        "length": str(row.warc_record_length),
        "offset": str(row.warc_record_offset),
        "filename": row.warc_filename,
        "requestBody": row.request_body,
        "method": row.request_method,
    }
    present = {name: value for name, value in fields.items() if value is not None}
    return f"{row.url_surtkey} {row.fetch_time:%Y%m%d%H%M%S} {json.dumps(present)}\n"


def _sorted_chunks(rows: Iterable[CaptureRow]) -> Iterator[list[str]]:
    lines = (cdxj_line(row) for row in rows if row.record_type != "conversion" and not row.is_erased)  # replay shows what the site sent
    while chunk := list(islice(lines, SORTED_LINES)):
        chunk.sort()
        yield chunk


def _merge_full(levels: list[list[IO[str]]], files: ExitStack, folder: Path) -> None:
    """Merge the files of each level that is full into one of the next level."""
    for number, level in enumerate(levels):
        if len(level) < MERGED_FILES:
            return
        if number + 1 == len(levels):
            levels.append([])
        levels[number + 1].append(_spill(heapq.merge(*level), files, folder))
        for file in level:
            file.close()  # a temporary file is removed with that
        level.clear()


def _spill(lines: Iterable[str], files: ExitStack, folder: Path) -> IO[str]:
    chunk: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n", dir=folder)  # noqa: SIM115 the stack closes it
    files.enter_context(chunk)
    chunk.writelines(lines)
    chunk.seek(0)
    return chunk
