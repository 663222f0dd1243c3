"""Texts in lower case with single blanks, by which texts are compared: of many texts at once, in the bytes of all of them together.

The same as `" ".join(text.casefold().split())` in UTF-8, in a third of the time: most texts differ from that in letters of ASCII alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import chain, pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

PIECE_BYTES = 128 * 1024  # of texts that are folded together; their arrays fit into the caches of processors
_BLANK = 0x20
_FIRST_LEAD = 0xC0  # the first byte of a character of several bytes is at least this
_PLANE = 0x10000  # the code points of which `_folds` knows the folded one
_CASED = range(0x80, 0x3001), range(0xA640, 0xAC00), range(0xFB00, 0xFFFF)  # of these, where characters have cases or are blanks
_UNCASED = 0x1F000  # from here on, no character has another case, and none is a blank
_ASCII = bytes(_BLANK if chr(byte).isspace() else ord(chr(byte).lower()) for byte in range(0x80)) + bytes(range(0x80, 0x100))

Numbers = NDArray[np.int64]


def folded_texts(texts: pa.Array) -> list[bytes]:
    """The folded form of each text. `texts` is an Arrow array of strings without NULL."""
    if not len(texts):
        return []
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    data = memoryview(texts.buffers()[2] or b"")
    return [folded for first, last in _pieces(offsets) for folded in _folded(data, offsets[first : last + 1])]


def code_points(data: NDArray[np.uint8]) -> tuple[Numbers, Numbers, NDArray[np.uint32]]:
    """The characters beyond ASCII of UTF-8: where each begins, its bytes, and its code point."""
    leads = np.flatnonzero(data >= _FIRST_LEAD)
    first = data[leads]
    sizes = 2 + (first >= 0xE0).astype(np.int64) + (first >= 0xF0)
    points = first.astype(np.uint32) & (0x7F >> sizes).astype(np.uint32)
    for place in range(1, 4):
        further = slice(None) if place == 1 else np.flatnonzero(sizes > place)
        points[further] = (points[further] << np.uint32(6)) | (data[leads[further] + place] & np.uint8(0x3F))
    return leads, sizes, points


def _pieces(offsets: Numbers) -> Iterator[tuple[int, int]]:
    """The texts in runs of about PIECE_BYTES: the first one, and the one behind the last."""
    first = 0
    while first < len(offsets) - 1:
        last = max(int(np.searchsorted(offsets, offsets[first] + PIECE_BYTES, "right")) - 1, first + 1)
        yield first, last
        first = last


def _folded(data: memoryview, offsets: Numbers) -> Iterator[bytes]:
    """The folded form of texts that follow one another in `data`, the first from `offsets[0]` on."""
    original = bytes(data[offsets[0] : offsets[-1]])
    offsets = offsets - offsets[0]
    folded = bytearray(original.translate(_ASCII))
    array = np.frombuffer(folded, np.uint8)
    spaced = _badly_spaced(array, offsets)
    odd = set(_fold_further(array, offsets)) if not original.isascii() else set()
    bounds = offsets.tolist()
    whole = bytes(folded)
    for text, (start, end) in enumerate(pairwise(bounds)):
        if text in odd:
            yield " ".join(original[start:end].decode().casefold().split()).encode()
        elif text in spaced:
            yield b" ".join(whole[start:end].split())
        else:
            yield whole[start:end]


def _badly_spaced(data: NDArray[np.uint8], offsets: Numbers) -> set[int]:
    """The texts that begin or end with a blank, or have two blanks side by side."""
    is_blank = data == _BLANK
    doubled = np.flatnonzero(is_blank[1:] & is_blank[:-1])
    filled = np.flatnonzero(offsets[1:] > offsets[:-1])
    at_edge = is_blank[offsets[filled]] | is_blank[offsets[filled + 1] - 1]
    return {*(np.searchsorted(offsets, doubled, "right") - 1).tolist(), *filled[at_edge].tolist()}


def _fold_further(data: NDArray[np.uint8], offsets: Numbers) -> list[int]:
    """Fold characters beyond ASCII in place, where the folded one has as many bytes; the texts that have others, or blanks."""
    leads, sizes, points = code_points(data)
    folds = _folds().take(points, mode="clip")
    changed = np.flatnonzero(folds)
    leads, sizes, points, folds = leads[changed], sizes[changed], points[changed], folds[changed]
    is_other = (folds >= _PLANE) | (sizes > 3)
    of_two, of_three = ~is_other & (sizes == 2), ~is_other & (sizes == 3)
    data[leads[of_two]] = 0xC0 | folds[of_two] >> 6
    data[leads[of_three]] = 0xE0 | folds[of_three] >> 12
    data[leads[of_three] + 1] = 0x80 | folds[of_three] >> 6 & 0x3F
    last = leads + sizes - 1
    data[last[~is_other]] = 0x80 | folds[~is_other] & 0x3F
    is_other &= points < _UNCASED
    found: list[int] = np.unique(np.searchsorted(offsets, leads[is_other], "right") - 1).tolist()
    return found


@cache
def _folds() -> NDArray[np.uint32]:
    """By code point: 0 if it stays, its folded one if that has as many bytes, else _PLANE. The last one stands for all that are beyond."""
    folds = np.zeros(_PLANE + 1, np.uint32)
    folds[_PLANE] = _PLANE
    for point in chain.from_iterable(_CASED):
        character = chr(point)
        folded = character.casefold()
        if folded != character or character.isspace():
            is_as_long = len(folded) == 1 and not folded.isspace() and len(folded.encode()) == len(character.encode())
            folds[point] = ord(folded) if is_as_long else _PLANE
    return folds
