"""Asks the Bloom filters of a Parquet file whether it may have a text. Where they are is known, so that the file's footer is not parsed.

Source: https://parquet.apache.org/docs/file-format/bloomfilter/ (split block Bloom filters over XXH64 with the seed 0), and
https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

Place = tuple[int, int]  # where the bits of a filter begin in the file, and how many bytes they are

BLOCK_BYTES, WORD_BYTES = 32, 4
SALTS = (0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31)
HEADER_BYTES = 64  # of Thrift, before the bits: more than one takes
NUMBER_OF_BYTES = 0x15  # the first field of the header, an i32
PRIME_1, PRIME_2, PRIME_3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
PRIME_4, PRIME_5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
MASK, MASK_32 = 2**64 - 1, 2**32 - 1


def bits_of(file: int, offset: int, length: int) -> Place | None:
    """Where the bits of a filter are that takes `length` bytes with its header; None for one of another form. Raises OSError."""
    header = os.pread(file, min(HEADER_BYTES, length), offset)
    if not header or header[0] != NUMBER_OF_BYTES:
        return None
    number = shift = 0
    for byte in header[1:6]:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    size = number >> 1  # Thrift's zigzag
    fits = BLOCK_BYTES <= size < length <= size + HEADER_BYTES and size % BLOCK_BYTES == 0
    return (offset + length - size, size) if fits else None


def may_have(path: Path, places: Sequence[Place], key: int) -> bool:
    """Whether one of a file's filters may have a key of `key_of`; without filters it has none. Raises OSError."""
    if not places:
        return False
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return any(_has(os.pread(file, BLOCK_BYTES, start + _block(key, size)), key) for start, size in places)
    finally:
        os.close(file)


def key_of(text: str) -> int:
    """The key of a text: its XXH64."""
    data = text.encode()
    whole = len(data) - len(data) % 32
    state = _striped(data[:whole]) if whole else PRIME_5
    return _finished((state + len(data)) & MASK, data[whole:])


def _block(key: int, size: int) -> int:
    return ((key >> 32) * (size // BLOCK_BYTES) >> 32) * BLOCK_BYTES


def _has(block: bytes, key: int) -> bool:
    """Whether the key's bit is set in each word of its block. A file that ends before it may have anything."""
    words = (int.from_bytes(block[start : start + WORD_BYTES], "little") for start in range(0, BLOCK_BYTES, WORD_BYTES))
    bits = (((key & MASK_32) * salt & MASK_32) >> 27 for salt in SALTS)
    return len(block) < BLOCK_BYTES or all(word >> bit & 1 for word, bit in zip(words, bits, strict=True))


def _striped(data: bytes) -> int:
    lanes = [(PRIME_1 + PRIME_2) & MASK, PRIME_2, 0, -PRIME_1 & MASK]
    for start in range(0, len(data), 32):
        lanes = [_round(lane, _number(data[start + 8 * place : start + 8 * place + 8])) for place, lane in enumerate(lanes)]
    state = sum(_rotated(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18), strict=True)) & MASK
    for lane in lanes:
        state = ((state ^ _round(0, lane)) * PRIME_1 + PRIME_4) & MASK
    return state


def _finished(state: int, rest: bytes) -> int:
    eights = len(rest) - len(rest) % 8
    for start in range(0, eights, 8):
        state = (_rotated(state ^ _round(0, _number(rest[start : start + 8])), 27) * PRIME_1 + PRIME_4) & MASK
    rest = rest[eights:]
    if len(rest) >= WORD_BYTES:
        state = (_rotated(state ^ _number(rest[:4]) * PRIME_1 & MASK, 23) * PRIME_2 + PRIME_3) & MASK
        rest = rest[4:]
    for byte in rest:
        state = _rotated(state ^ byte * PRIME_5 & MASK, 11) * PRIME_1 & MASK
    state = (state ^ state >> 33) * PRIME_2 & MASK
    state = (state ^ state >> 29) * PRIME_3 & MASK
    return state ^ state >> 32


def _round(lane: int, value: int) -> int:
    return _rotated((lane + value * PRIME_2) & MASK, 31) * PRIME_1 & MASK


def _rotated(number: int, bits: int) -> int:
    return (number << bits | number >> (64 - bits)) & MASK


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")
