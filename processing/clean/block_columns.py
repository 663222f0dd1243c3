"""The blocks of several articles as Arrow columns: those of one article behind those of the other. No block becomes a Python object."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.article import BlockKind

Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BlockColumns:
    """Blocks, an Arrow array of structs, and how many of them each article has."""

    blocks: pa.StructArray
    counts: Numbers

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> BlockColumns:
        """Those of a column of lists, without NULL."""
        lists = column.combine_chunks()
        return cls(lists.flatten(), lists.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64))

    @property
    def texts(self) -> pa.Array:
        """The text of each block."""
        return self.blocks.field("text")

    @property
    def starts(self) -> Numbers:
        """Where the blocks of each article begin, and the end of all."""
        return np.concatenate((np.zeros(1, np.int64), np.cumsum(self.counts)))

    def where(self, mask: Mask) -> BlockColumns:
        """The blocks for which the mask is true."""
        return BlockColumns(self.blocks.filter(pa.array(mask)), self._sums(mask).astype(np.int64))

    def in_text(self) -> Mask:
        """Which blocks are in the article's plain text (`schemas.article.plain_text`)."""
        found: Mask = pc.and_(
            pc.greater(pc.binary_length(self.texts), 0), pc.not_equal(self.blocks.field("kind"), str(BlockKind.CAPTION))
        ).to_numpy(zero_copy_only=False)
        return found

    def plain_texts(self) -> pa.Array:
        """The plain text of each article, given that all of the blocks are `in_text`."""
        return pc.binary_join(pa.ListArray.from_arrays(pa.array(self.starts, pa.int32()), self.texts), "\n")

    def link_densities(self) -> list[float]:
        """The share of each article's characters that are in links, 0 to 1."""
        characters = pc.utf8_length(self.texts).to_numpy(zero_copy_only=False).astype(np.float64)
        of_blocks = pc.fill_null(self.blocks.field("link_density"), 0.0).to_numpy(zero_copy_only=False).astype(np.float64)
        totals = self._sums(characters)
        shares: list[float] = (self._sums(characters * of_blocks) / np.maximum(totals, 1)).tolist()
        return shares

    def lists(self) -> pa.Array:
        """The blocks as a column of lists."""
        return pa.ListArray.from_arrays(pa.array(self.starts, pa.int32()), self.blocks)

    def _sums(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        """The sum of one value for each block, by article."""
        articles = np.repeat(np.arange(len(self.counts)), self.counts)
        found: NDArray[np.float64] = np.bincount(articles, weights=values.astype(np.float64), minlength=len(self.counts)).astype(np.float64)
        return found
