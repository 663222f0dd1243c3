"""What a comparison counts as changed is what its examples show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from processing.reprocess.comparison import Example, _compare

SCHEMA = pa.schema(
    [
        *(("warc_filename", pa.string()), ("warc_record_offset", pa.int64()), ("url", pa.string())),
        *(("text", pa.string()), ("chunks", pa.list_(pa.string()))),
    ]
)


def rows_of(*values: tuple[str, list[str] | None]) -> Callable[[Sequence[str]], Iterator[pa.Table]]:
    def read(columns: Sequence[str]) -> Iterator[pa.Table]:
        rows: list[dict[str, Any]] = [
            {"warc_filename": "w", "warc_record_offset": number, "url": f"https://a.example/{number}", "text": text, "chunks": chunks}
            for number, (text, chunks) in enumerate(values)
        ]
        yield pa.Table.from_pylist(rows, schema=SCHEMA).select(list(columns))

    return read


def test_a_list_that_is_empty_in_the_table_is_no_change() -> None:
    before, after = rows_of(("One.", []), ("Two.", [])), rows_of(("One.", None), ("Two, again.", None))
    changes, examples = _compare("articles", ["text", "chunks"], before, after, 10)
    assert (changes.changed, changes.fields) == (1, {"text": 1})
    assert examples == [Example("articles", "https://a.example/1", {"text": "Two."}, {"text": "Two, again."})]
