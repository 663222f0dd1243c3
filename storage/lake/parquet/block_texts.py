"""The words of an article once: a block whose text stands in the row's `text` has its place there instead.

`text` has the texts of the blocks in their order, one a line (`schemas.article.plain_text`). A caption is not in it and keeps its text, and
so does every block of a row whose `text` is another. Places are in code points, as Python and SQL count characters.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.article import BlockKind
from schemas.tables import STORED_BLOCK

TEXT, BLOCKS = "text", "blocks"
PLACES = ("start", "end")
SLICE_ROWS = 2_000  # of which the texts are in memory twice


def without_block_texts(rows: pa.Table) -> pa.Table:
    """Rows whose blocks have places instead of texts, where `text` has their words. Rows that have places already stay as they are.

    A table without articles comes back as it is.
    """
    if not {TEXT, BLOCKS} <= set(rows.schema.names) or not rows.num_rows or not pa.types.is_list(rows.schema.field(BLOCKS).type):
        return rows
    parts = [_placed(batch[TEXT], batch[BLOCKS]) for batch in rows.select([TEXT, BLOCKS]).combine_chunks().to_batches(SLICE_ROWS)]
    place = rows.schema.get_field_index(BLOCKS)
    return rows.set_column(place, rows.schema.field(place).with_type(pa.list_(STORED_BLOCK)), pa.chunked_array(parts))


def with_block_texts(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Rows whose blocks have their texts again, in the schema that they have. The batch has `text` and `blocks`."""
    found = rows[BLOCKS].to_pylist()
    for text, blocks in zip(rows[TEXT].to_pylist(), found, strict=True):
        for block in blocks or ():
            if block["text"] is None and block.get("start") is not None:
                block["text"] = text[block["start"] : block["end"]]
    place = rows.schema.get_field_index(BLOCKS)
    return rows.set_column(place, rows.schema.field(place), pa.array(found, rows.schema.field(place).type))


def whole_blocks(rows: pa.Table) -> pa.Table:
    """Rows whose blocks have their texts and no places: what `without_block_texts` was given. The table has `text` and `blocks`."""
    parts = [_without_places(with_block_texts(batch)[BLOCKS]) for batch in rows.combine_chunks().to_batches(SLICE_ROWS)]
    place = rows.schema.get_field_index(BLOCKS)
    return rows.set_column(place, rows.schema.field(place), pa.chunked_array(parts, rows.schema.field(place).type))


def _without_places(blocks: pa.Array) -> pa.Array:
    flat, row = pc.list_flatten(blocks), pc.list_parent_indices(blocks).to_numpy(zero_copy_only=False)
    members = [pa.nulls(len(flat), one.type) if one.name in PLACES else pc.struct_field(flat, one.name) for one in flat.type]
    structs = pa.StructArray.from_arrays(members, fields=list(flat.type))
    return pa.ListArray.from_arrays(_offsets(row, len(blocks)), structs, mask=pc.is_null(blocks))


def _placed(text: pa.Array, blocks: pa.Array) -> pa.Array:
    """The same blocks in the schema STORED_BLOCK."""
    flat, row = pc.list_flatten(blocks), pc.list_parent_indices(blocks).to_numpy(zero_copy_only=False)
    known = {field.name for field in flat.type}
    members = {
        field.name: pc.struct_field(flat, field.name).cast(field.type) if field.name in known else pa.nulls(len(flat), field.type)
        for field in STORED_BLOCK
    }
    lengths = pc.fill_null(pc.utf8_length(members[TEXT]), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    in_text = (lengths > 0) & ~_equals(members["kind"], str(BlockKind.CAPTION))
    has_places = np.zeros(len(text), np.bool_)
    has_places[row[pc.is_valid(members["start"]).to_numpy(zero_copy_only=False)]] = True
    is_placed = in_text & (_joined_is_text(members[TEXT], in_text, row, text) & ~has_places)[row]
    start = _starts(np.where(in_text, lengths + 1, 0), row)
    mask = pa.array(is_placed)
    members["start"] = pc.if_else(mask, pa.array(start, pa.int32()), members["start"])
    members["end"] = pc.if_else(mask, pa.array(start + lengths, pa.int32()), members["end"])
    members[TEXT] = pc.if_else(mask, pa.scalar(None, pa.string()), members[TEXT])
    structs = pa.StructArray.from_arrays([members[field.name] for field in STORED_BLOCK], fields=list(STORED_BLOCK))
    return pa.ListArray.from_arrays(_offsets(row, len(blocks)), structs, mask=pc.is_null(blocks))


def _starts(widths: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Where each block begins in its row's text, by the widths of the blocks with their line ends."""
    before: np.ndarray = np.cumsum(widths) - widths
    if not len(row):
        return before
    first = np.flatnonzero(np.concatenate([[True], row[1:] != row[:-1]]))  # the first block of each row
    before -= np.repeat(before[first], np.diff(np.append(first, len(row))))
    return before


def _joined_is_text(texts: pa.Array, in_text: np.ndarray, row: np.ndarray, text: pa.Array) -> np.ndarray:
    """By row: whether its text is that of its blocks."""
    lines = pa.ListArray.from_arrays(_offsets(row[in_text], len(text)), texts.filter(pa.array(in_text)))
    return _true(pc.equal(pc.binary_join(lines, "\n"), text.cast(pa.string())))


def _offsets(row: np.ndarray, count: int) -> pa.Array:
    return pa.array(np.concatenate([[0], np.cumsum(np.bincount(row, minlength=count))]), pa.int32())


def _equals(column: pa.Array, value: str) -> np.ndarray:
    return _true(pc.equal(column, value))


def _true(mask: pa.Array) -> np.ndarray:
    found: np.ndarray = pc.fill_null(mask, False).to_numpy(zero_copy_only=False)
    return found
