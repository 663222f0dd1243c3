"""A step: it fills the declared field `verdict` from the field `stars`."""

from __future__ import annotations

import pyarrow as pa

WORDS = {1: "bad", 2: "poor", 3: "fair", 4: "good", 5: "excellent"}


def stars_as_words(rows: pa.RecordBatch) -> pa.RecordBatch:
    """The rows with a word for their number of stars in `verdict`."""
    words = pa.array([WORDS.get(stars) for stars in rows["stars"].to_pylist()], pa.string())
    return rows.set_column(rows.schema.get_field_index("verdict"), "verdict", words)
