"""Items: what a user's spider makes of pages, as JSON lines that say which capture each was made of.

They stand on the same registering transaction as their captures: the items of a segment count when the segment is registered.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

from schemas.errors import StorageError
from storage.index.rows import CaptureRow

ITEMS_SUFFIX = ".items"


def append_items(path: Path, row: CaptureRow, items: Sequence[str]) -> None:
    """Adds the items of a capture (JSON each) to a segment's file. Raises StorageError when the disk is full."""
    about = {
        "url": row.url,
        "fetched_at": row.fetch_time.isoformat(),
        "crawl_run": row.crawl_run,
        "warc_filename": row.warc_filename,
        "warc_record_offset": row.warc_record_offset,
    }
    head = json.dumps(about, ensure_ascii=False)[:-1]
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write("".join(f'{head}, "item": {item}}}\n' for item in items))
    except OSError as error:
        raise StorageError(f"Writing {path} failed: {error.strerror}. Free space there and run again.") from error


def compress_items(path: Path, rows: Sequence[CaptureRow]) -> tuple[int, bytes]:
    """How many items were made of these captures, and their lines as gzip; a torn line, or one of another capture, is left out."""
    if not path.exists():
        return 0, b""
    offsets = {row.warc_record_offset for row in rows}
    text = path.read_text(encoding="utf-8", errors="replace")
    lines = [line for line in text[: text.rfind("\n") + 1].split("\n") if line and json.loads(line)["warc_record_offset"] in offsets]
    return len(lines), gzip.compress("".join(line + "\n" for line in lines).encode(), mtime=0)
