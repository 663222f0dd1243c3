"""Keys of the known index: 64-bit hashes of a kind and its values. Two values with one key do no harm: who asks compares the rows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from rensa import RMinHash

PAGE, PAGE_ARTICLE, PAYLOAD, PLACE, READING = "page", "page article", "payload", "place", "reading"
ARTICLE, TEXT = "article", "text"
ROW, SEEN_ON = "row", "seen on"
RUN = "run"
_BETWEEN = "\x1f"

Keys = NDArray[np.uint64]


def hash_columns(kind: str, *columns: pa.Array | pa.ChunkedArray) -> Keys:
    """The key of each row. NULL counts as an empty text."""
    texts = [pc.fill_null(column.cast(pa.string()), "") for column in columns]
    joined = pc.binary_join_element_wise(pa.scalar(kind), *texts, _BETWEEN)
    return _hashed(joined.to_pylist())


def hash_values(kind: str, values: Iterable[tuple[object, ...]]) -> Keys:
    """The key of each of these values."""
    return _hashed([_BETWEEN.join((kind, *("" if one is None else str(one) for one in value))) for value in values])


def _hashed(texts: list[str]) -> Keys:
    return np.array(RMinHash.hash_token_sets([texts])[0], np.uint64) if texts else np.empty(0, np.uint64)
