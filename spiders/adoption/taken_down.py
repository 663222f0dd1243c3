"""Takes what is on the takedown list out of a segment that is being adopted, as an erasure would. The given file stays as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from storage.index.rows import CaptureRow, erased_row
from storage.lake.takedown import Takedowns
from storage.warc.tombstone import find_edits

_URL = re.compile(r"https?://[^\s\"'<>]+", re.IGNORECASE)


def is_taken_down(row: CaptureRow, takedowns: Takedowns) -> bool:
    """Whether a capture is of a URL that is taken down, or a redirect to one."""
    return takedowns.covers(row.url) or (row.fetch_redirect is not None and takedowns.covers(row.fetch_redirect))


def take_out(path: Path, warc_filename: str, rows: Sequence[CaptureRow], takedowns: Takedowns) -> list[CaptureRow]:
    """Write tombstones over the records in the file, and lines about them out of others; the rows that are left, as many as before."""
    if not takedowns:
        return list(rows)
    gone = {row.warc_record_offset: row.warc_record_length for row in rows if is_taken_down(row, takedowns)}
    with path.open("r+b") as file:
        edits = find_edits(file, warc_filename, gone, takedowns.covers, lambda text: any(map(takedowns.covers, _URL.findall(text))))
        for offset, data in edits.items():
            file.seek(offset)
            file.write(data)
    return [erased_row(row) if row.warc_record_offset in gone else _without_mention(row, takedowns) for row in rows]


def _without_mention(row: CaptureRow, takedowns: Takedowns) -> CaptureRow:
    return replace(row, via=None) if row.via is not None and takedowns.covers(row.via) else row
