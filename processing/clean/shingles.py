"""The words and the shingles of many texts at once, as hashes: found by numpy in the bytes of all texts together.

A shingle is a run of five words; the words are those of `processing.clean.words`. No list of words is made: that would take most of the
time. A word's hash depends on its UTF-8 bytes alone, so a text has the same hashes whatever texts are read with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from processing.clean.folding import code_points
from processing.clean.words import OTHER, SINGLE, character_classes

SHINGLE_WORDS = 5
HASH_FORM = "1"  # of the hashes of words and shingles
PIECE_BYTES = 128 * 1024  # of texts that are read together; their arrays take some 3 MB, which processors keep in their caches
LONG_WORD = 64  # bytes; such words are rare, and hashed one by one
_ASCII = 0x80
_FIRST_BYTE = np.int8(-64)  # all bytes of UTF-8, as signed numbers, but the further ones of a character
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SHIFTS = np.uint64(32), np.uint64(29)
_BLOCK = 8  # bytes of a word that are hashed at once
_MASKS = np.array([(1 << 8 * size) - 1 for size in range(_BLOCK + 1)], np.uint64)
_WORD_FACTORS = np.array(
    [0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F], np.uint64
)  # odd, with about as many ones as zeros

Hashes = NDArray[np.uint64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shingles:
    """Of several texts: the words and letters of each, and how many distinct shingles it has.

    `hashes` are those of the shingles of the first text, then those of the second, and so on, of each text ascending and each once. A text
    of fewer than five words is one shingle, a text without words none.
    """

    words: Numbers
    letters: Numbers
    counts: Numbers
    hashes: Hashes


def read_shingles(texts: Sequence[str]) -> Shingles:
    """The shingles of texts."""
    return folded_shingles([text.casefold().encode("utf-8", "surrogatepass") for text in texts])


def folded_shingles(texts: Sequence[bytes]) -> Shingles:
    """The shingles of texts in lower case, in UTF-8. How many blanks are between words makes no difference."""
    found = [_read_piece(piece) for piece in _pieces(texts)]
    if len(found) == 1:
        return found[0]
    return Shingles(*(np.concatenate([getattr(one, name) for one in found] or [_EMPTY[name]]) for name in Shingles.__slots__))


_EMPTY = {name: np.empty(0, np.uint64 if name == "hashes" else np.int64) for name in ("words", "letters", "counts", "hashes")}


def _pieces(texts: Sequence[bytes]) -> Iterator[list[bytes]]:
    piece: list[bytes] = []
    size = 0
    for text in texts:
        if piece and size + len(text) > PIECE_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(text)
        size += len(text)
    if piece:
        yield piece


def _read_piece(texts: Sequence[bytes]) -> Shingles:
    """The shingles of texts in lower case."""
    data = b"\n".join([b"", *texts, b""])
    starts, stops, letters_before = _find_words(data)
    last = np.searchsorted(starts, np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)) + 1))
    word_counts = np.diff(last, prepend=0)
    letters = np.diff(letters_before[last], prepend=0)
    return Shingles(word_counts, letters, *_shingles(_word_hashes(data, starts, stops), last, word_counts))


def _find_words(data: bytes) -> tuple[Numbers, Numbers, Numbers]:
    """At which bytes of UTF-8 text words begin and end, and how many letters are in the words before each and in all.

    The text begins and ends with a line feed.
    """
    classes = np.frombuffer(bytearray(data.translate(_classes_of_ascii())), np.uint8)
    if data.isascii():
        edges = np.flatnonzero(classes[1:] != classes[:-1]) + 1
        starts, stops = edges[::2], edges[1::2]
        return starts, stops, _sums(stops - starts)
    leads, sizes, points = code_points(np.frombuffer(data, np.uint8))
    of_points = character_classes().take(points, mode="clip")
    classes[leads] = of_points
    for place in range(1, 4):
        further = sizes > place
        classes[leads[further] + place] = of_points[further]
    is_edge = classes[1:] != classes[:-1]
    is_edge[leads[of_points == SINGLE] - 1] = True
    edges = np.flatnonzero(is_edge) + 1
    starts, stops = edges[classes[edges] != OTHER], edges[classes[edges - 1] != OTHER]
    return starts, stops, _sums(stops - starts - _further_bytes(data, starts, stops))


def _further_bytes(data: bytes, starts: Numbers, stops: Numbers) -> Numbers:
    """How many bytes of each word are not the first ones of their characters. In most scripts there are few."""
    places = np.flatnonzero(np.frombuffer(data, np.int8) < _FIRST_BYTE)
    words = np.searchsorted(starts, places, "right") - 1
    is_inside = words >= 0
    is_inside[is_inside] = places[is_inside] < stops[words[is_inside]]
    return np.bincount(words[is_inside], minlength=len(starts))


def _sums(values: Numbers) -> Numbers:
    """The sums of the values before each, and of all."""
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(values)))


@cache
def _classes_of_ascii() -> bytes:
    return bytes(character_classes()[:_ASCII]) + bytes(256 - _ASCII)


def _word_hashes(data: bytes, starts: Numbers, stops: Numbers) -> Hashes:
    """The hash of each word, of its bytes."""
    padded = data + bytes(_BLOCK)
    blocks = np.ndarray((len(data),), "<u8", padded, strides=(1,))  # eight bytes from each byte on
    left = stops - starts
    hashes = np.zeros(len(starts), np.uint64)
    _mix_in(hashes, blocks[starts] & _MASKS[np.minimum(left, _BLOCK)])
    longer = np.flatnonzero(left > _BLOCK)
    for begin in range(_BLOCK, LONG_WORD, _BLOCK):
        if not len(longer):
            return hashes
        part = hashes[longer]
        _mix_in(part, blocks[starts[longer] + begin] & _MASKS[np.minimum(left[longer] - begin, _BLOCK)])
        hashes[longer] = part
        longer = longer[left[longer] > begin + _BLOCK]
    for word in longer.tolist():
        digest = hashlib.blake2b(data[starts[word] : stops[word]], digest_size=8).digest()
        hashes[word] = int.from_bytes(digest, "little")
    return hashes


def _mix_in(hashes: Hashes, values: Hashes) -> None:
    """Mix values into the hashes, in place."""
    hashes ^= values
    hashes *= _MULTIPLIER
    hashes ^= hashes >> _SHIFTS[0]
    hashes *= _MULTIPLIER
    hashes ^= hashes >> _SHIFTS[1]


def _shingles(words: Hashes, last: Numbers, word_counts: Numbers) -> tuple[Numbers, Hashes]:
    """How many distinct shingles each text has, and their hashes. `last` is where the words of each text end."""
    first = last - word_counts
    counts = np.maximum(word_counts - SHINGLE_WORDS + 1, np.minimum(word_counts, 1))
    found = np.zeros(len(words), np.uint64)  # the shingle that begins with each word; the last four of a text are not used
    for place, factor in enumerate(_WORD_FACTORS[: len(words)]):
        found[: len(words) - place] += words[place:] * factor
    for text in np.flatnonzero((word_counts > 0) & (word_counts < SHINGLE_WORDS)).tolist():
        of_text = words[first[text] : last[text]]
        found[first[text]] = (of_text * _WORD_FACTORS[: len(of_text)]).sum()
    _mix_in(found, np.zeros(1, np.uint64))
    is_distinct = np.zeros(len(words), np.bool_)
    for start, stop in zip(first.tolist(), (first + counts).tolist(), strict=True):
        of_text = found[start:stop]
        of_text.sort()
        is_distinct[start : start + 1] |= stop > start
        np.not_equal(of_text[1:], of_text[:-1], out=is_distinct[start + 1 : stop])
    before = _sums(is_distinct.astype(np.int64))
    return before[last] - before[first], found[is_distinct]
