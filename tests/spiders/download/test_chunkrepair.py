"""Chunked bodies that browsers take."""

import pytest

from spiders.download.chunk_repair import ChunkMender, needs_mending
from tests.cpu import growth

MENDED = b"5\r\n<p>a\n\r\n2\r\nbc\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    "body",
    [
        b"5\n<p>a\n\n2\nbc\n0\n\n",
        b" 5\r\n<p>a\n\r\n 2 \r\nbc\r\n 0\r\n\r\n",
        b"005;name=value\n<p>a\n2\nbc0\nTrailer: x\n\n",
    ],
)
@pytest.mark.parametrize("piece", [1, 3, 100])
def test_chunks_are_mended(body: bytes, piece: int) -> None:
    mender = ChunkMender()
    assert needs_mending(body)
    assert b"".join(mender.mend(body[start : start + piece]) for start in range(0, len(body), piece)) == MENDED


@pytest.mark.parametrize("body", [MENDED, b"5  \r\n<p>", b"5;a=b\r\n<p>", b"<html>\n5\n", b"some\r\n", b"5"])
def test_sound_chunks_and_what_is_no_chunk_are_not_touched(body: bytes) -> None:
    assert not needs_mending(body)


def test_behind_something_that_is_no_chunk_nothing_is_mended() -> None:
    mender = ChunkMender()
    assert mender.mend(b"2\nab\nxyz\nmore\n") + mender.mend(b"3\n") == b"2\r\nab\r\nxyz\nmore\n3\n"


@pytest.mark.parametrize("unit", [b"1\na\n", b"0", b" ", b"1;", b"\n"])
def test_a_hostile_body_takes_bounded_time(unit: bytes) -> None:
    assert growth(lambda size: ChunkMender().mend(unit * size), 20_000) < 8
