"""Content codings: correct, wrongly labelled, cut off, damaged, and decompression bombs."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from contextlib import suppress

import brotli
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from storage.warc.content_coding import MAX_MEMBERS, CodingError, decode_content
from tests.cpu import growth

TEXT = b"".join(b"<p>paragraph %d</p>" % number for number in range(25_000))
RAW = zlib.compressobj(6, zlib.DEFLATED, -15)
CODED = {
    "gzip": gzip.compress(TEXT),
    "x-gzip": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
    "br": brotli.compress(TEXT, quality=5),
    "zstd": zstd.compress(TEXT),
}
LIMIT = 10_000_000


@pytest.mark.parametrize("coding", CODED)
def test_each_coding(coding: str) -> None:
    assert decode_content(CODED[coding], coding, LIMIT) == TEXT
    assert decode_content(CODED[coding], f" {coding.upper()} ", LIMIT) == TEXT


@pytest.mark.parametrize("coding", CODED)
def test_the_limit_holds(coding: str) -> None:
    for limit in (0, 1, 1000):
        assert decode_content(CODED[coding], coding, limit) == TEXT[:limit]


@pytest.mark.parametrize("coding", CODED)
def test_of_a_cut_stream_the_part_before_is_decoded(coding: str) -> None:
    cut = decode_content(CODED[coding][: len(CODED[coding]) // 2], coding, LIMIT)
    assert TEXT.startswith(cut)
    assert len(cut) > 1000


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_of_a_damaged_stream_the_part_before_is_decoded(coding: str) -> None:
    body = bytearray(CODED[coding])
    body[len(body) // 2 : len(body) // 2 + 20] = b"\xff" * 20
    decoded = decode_content(bytes(body), coding, LIMIT)
    assert decoded[:1000] == TEXT[:1000]


def test_a_wrong_checksum_costs_nothing() -> None:
    assert decode_content(CODED["gzip"][:-8] + b"\x00" * 8, "gzip", LIMIT)[:80_000] == TEXT[:80_000]


def test_several_members_and_codings() -> None:
    assert decode_content(gzip.compress(b"one ") + gzip.compress(b"two") + b"rest", "gzip", LIMIT) == b"one two"
    assert decode_content(brotli.compress(gzip.compress(TEXT), quality=5), "gzip, br", LIMIT) == TEXT
    assert decode_content(RAW.compress(TEXT) + RAW.flush(), "deflate", LIMIT) == TEXT


@pytest.mark.parametrize("label", ["gzip", "deflate", "br", "zstd", "identity", None, "", "utf-8"])
def test_plain_text_under_any_label_comes_back(label: str | None) -> None:
    assert decode_content(TEXT, label, LIMIT) == TEXT


@pytest.mark.parametrize("label", ["deflate", "br", None, "identity, gzip"])
def test_gzip_under_another_label(label: str | None) -> None:
    assert decode_content(CODED["gzip"], label, LIMIT) == TEXT


@pytest.mark.parametrize("body", [CODED["br"], zlib.compress(TEXT)[2:-4]], ids=["br", "raw deflate"])
@pytest.mark.parametrize("label", ["gzip", "zstd", "unknown"])
def test_codings_without_a_mark_under_another_label(body: bytes, label: str) -> None:
    assert decode_content(body, label, LIMIT) == TEXT


@pytest.mark.parametrize("before", [b"\r\n", b" ", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n\t"])
def test_gzip_behind_blanks_and_a_byte_order_mark(before: bytes) -> None:
    assert decode_content(before + CODED["gzip"], "gzip", LIMIT) == TEXT


def test_what_cannot_be_decoded_says_why() -> None:
    with pytest.raises(CodingError, match="labelled 'gzip' but cannot be decoded"):
        decode_content(b"\x1b\x01\x02 no text", "gzip", LIMIT)
    with pytest.raises(CodingError, match="unknown content coding 'sdch'"):
        decode_content(b"x\x00\x01", "sdch", LIMIT)
    with pytest.raises(CodingError, match="damaged at its first byte"):
        decode_content(b"\x1f\x8b\x08", "gzip", LIMIT)
    with pytest.raises(CodingError, match="on top of each other"):
        decode_content(b"x", "gzip," * 9, LIMIT)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate"])
def test_a_bomb_stays_small(coding: str) -> None:
    zeros = bytes(64_000_000)
    made = {"gzip": gzip.compress, "br": lambda data: brotli.compress(data, quality=1), "zstd": zstd.compress, "deflate": zlib.compress}
    bomb = made[coding](zeros)
    del zeros
    tracemalloc.start()
    assert len(decode_content(bomb, coding, 100_000)) == 100_000
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "br", "zstd", "gzip, br", None]))
def test_no_bytes_raise_anything_else(body: bytes, label: str | None) -> None:
    for start in (b"", b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd"):
        with suppress(CodingError):
            assert len(decode_content(start + body, label, 1000)) <= 1000


@pytest.mark.parametrize(
    ("unit", "encoding"),
    [
        (gzip.compress(b"", mtime=0), "gzip"),
        (gzip.compress(b"a", mtime=0), "gzip"),
        (gzip.compress(b"", mtime=0)[:-8] + bytes(8), "gzip"),
        (zstd.compress(b""), "zstd"),
    ],
)
def test_many_members_cost_linear_work(unit: bytes, encoding: str) -> None:
    assert growth(lambda count: decode_content(unit * count, encoding, LIMIT), 20_000) < 9


def test_many_members_inside_a_member_cost_linear_work() -> None:
    assert growth(lambda count: decode_content(gzip.compress(gzip.compress(b"", mtime=0) * count), "gzip, gzip", LIMIT), 20_000) < 9


def test_members_are_counted() -> None:
    assert decode_content(gzip.compress(b"a", mtime=0) * (MAX_MEMBERS + 5), "gzip", LIMIT) == b"a" * MAX_MEMBERS


@pytest.mark.parametrize("label", ["utf-8", "text/html", "aws-chunked", "8bit", "ISO-8859-1", "foo", "none", "identity, UTF-8"])
def test_plain_text_under_a_label_that_is_no_coding(label: str) -> None:
    assert decode_content(TEXT, label, len(TEXT)) == TEXT
    assert decode_content(CODED["gzip"], label, len(TEXT)) == TEXT
    assert decode_content("é".encode("utf-16"), label, 100) == "é".encode("utf-16")


@pytest.mark.parametrize("label", ["gzip", None, "br", "utf-8", "gzip, gzip"])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_gzip_over_gzip(label: str | None, times: int) -> None:
    body = TEXT[:2_000]
    for _ in range(times):
        body = b"\r\n" + gzip.compress(body)
    assert decode_content(body, label, LIMIT) == TEXT[:2_000]


def test_zlib_that_is_called_gzip() -> None:
    assert decode_content(zlib.compress(TEXT), "gzip", LIMIT) == TEXT


def test_nothing_before_the_damage_is_lost() -> None:
    short = TEXT[:400]
    assert decode_content(gzip.compress(short)[:-8] + b"not right", "gzip", LIMIT) == short


def test_a_charset_as_coding_is_none() -> None:
    assert decode_content("<p>é".encode("utf-16-le"), "UTF-16", LIMIT) == "<p>é".encode("utf-16-le")
