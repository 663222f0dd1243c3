"""Steps for the tests: what each does with a batch of the dataset `goods`, whose rows have `sku` and `price`."""

from __future__ import annotations

import time

import pyarrow as pa
import pyarrow.compute as pc


def add_category(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Fill `category`, of a batch in place, and `words` by a second column of the name."""
    category = pc.if_else(pc.greater(batch["price"].cast(pa.float64()), 10.0), "dear", "cheap")
    batch = batch.set_column(batch.schema.get_field_index("category"), "category", category)
    return batch.append_column("words", pa.array([["a", sku] for sku in batch["sku"].to_pylist()]))


def follow_category(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Fill `rank` from what the step before filled."""
    return batch.append_column("rank", pc.equal(batch["category"], "dear").cast(pa.int8()))


def by_pandas(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Fill `category` as users of pandas do, whose types differ."""
    frame = batch.to_pandas()
    frame["category"] = frame["sku"].str.upper().astype("category")
    return pa.RecordBatch.from_pandas(frame, preserve_index=False)


def as_table(batch: pa.RecordBatch) -> pa.Table:
    """Fill nothing, and give a table of two chunks."""
    return pa.Table.from_batches([batch.slice(0, 1), batch.slice(1)])


def fail_on_bad(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Raise an error if there is a bad row."""
    if any(sku.startswith("bad") for sku in batch["sku"].to_pylist()):
        raise ValueError("no such sku")
    return batch.append_column("category", pa.array(["fine"] * batch.num_rows))


def lose_bad(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Lose bad rows."""
    return batch.filter(pc.invert(pc.starts_with(batch["sku"], "bad")))


def hang_on_bad(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Never end if there is a bad row."""
    if any(sku.startswith("bad") for sku in batch["sku"].to_pylist()):
        time.sleep(3600)
    return batch


def eat_on_bad(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Take all memory if there is a bad row."""
    eaten = []
    while any(sku.startswith("bad") for sku in batch["sku"].to_pylist()):
        eaten.append(bytearray(16 * 1024 * 1024))
    return batch


def change_key(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Change the key."""
    return batch.set_column(batch.schema.get_field_index("sku"), "sku", pc.utf8_upper(batch["sku"]))


def turn_round(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Give the rows in another order."""
    return batch.take(pa.array(range(batch.num_rows - 1, -1, -1)))


def change_url(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Change where a row is from."""
    return batch.append_column("url", pa.array(["http://other.example/"] * batch.num_rows))


def wrong_type(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Fill a text with numbers."""
    return batch.append_column("category", pa.array([1] * batch.num_rows))


def too_precise(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Fill an integer with what is none."""
    return batch.append_column("rank", pa.array([1.5] * batch.num_rows))


def undeclared(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Add a column that is not a field."""
    return batch.append_column("colour", pa.array(["red"] * batch.num_rows))


def lose_column(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Give back less than it got."""
    return batch.select(["sku", "category"])


def give_list(batch: pa.RecordBatch) -> object:
    """Give back rows."""
    return batch.to_pylist()


def not_json(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Fill JSON with text."""
    return batch.append_column("raw", pa.array(["{"] * batch.num_rows))
