"""Heads of responses that browsers take."""

import asyncio

import pytest

from spiders.download.handler import MAX_HEADER_BYTES, MAX_HEADERS
from spiders.download.header_repair import MAX_HEAD_BYTES, is_strict, mended_head, received_headers
from spiders.download.lenient_http import LenientResponseHandler
from tests.cpu import growth


def head(*lines: bytes, status: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return b"\r\n".join((status, *lines)) + b"\r\n\r\n"


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (b"Content-Length: 5",),
        (b"Transfer-Encoding: Chunked", b"X: \xe9 \x80"),
        (b"content-length:5", b"Set-Cookie: a=1", b"Set-Cookie: b=2"),
    ],
)
def test_a_sound_head_is_not_touched(lines: tuple[bytes, ...]) -> None:
    assert is_strict(head(*lines))


@pytest.mark.parametrize(
    ("lines", "mended"),
    [
        ((b"Content-Length: 5", b"Content-Length: 5"), [b"Content-Length: 5"]),
        ((b"Content-Length: 5, 5",), [b"Content-Length: 5"]),
        ((b"Content-Length: 5", b"Content-Length: 6"), [b"Content-Length: 5", b"Content-Length: 6"]),
        ((b"Content-Length: 5", b"Transfer-Encoding: chunked"), [b"Transfer-Encoding: chunked"]),
        ((b"Transfer-Encoding: chunked", b"Transfer-Encoding: Chunked"), [b"Transfer-Encoding: chunked"]),
        ((b"Transfer-Encoding: identity", b"Content-Length: 5"), [b"Content-Length: 5"]),
        ((b"Content-Length: many",), []),
        ((b"Content-Length: " + b"9" * 30,), []),
        ((b'Transfer-Encoding: "chunked"',), [b"Transfer-Encoding: chunked"]),
        ((b"Transfer-Encoding: gzip;q=1, chunked;q=1",), [b"Transfer-Encoding: gzip, chunked"]),
        ((b"Content-Length: -1",), []),
        ((b"Content-Length:",), []),
        ((b"Server : x",), [b"Server: x"]),
        ((b"ThisHasNoColon", b"A: 1"), [b"ThisHasNoColon: ", b"A: 1"]),
        ((b"X My Header: 1", b": 2", b"A: 1"), [b"A: 1"]),
        ((b"A: one\x00two\x07", b"B: \xff"), [b"A: one two ", b"B: \xff"]),
        ((b"A: one", b"  two", b"\tthree"), [b"A: one two three"]),
        ((b" A: 1",), [b"A: 1"]),
    ],
)
def test_lines_are_mended(lines: tuple[bytes, ...], mended: list[bytes]) -> None:
    made = head(*lines)
    assert not is_strict(made)
    assert mended_head(made) == head(*mended)


@pytest.mark.parametrize(
    ("status", "mended"),
    [
        (b"HTTP/1.1 200", b"HTTP/1.1 200 "),
        (b"http/1.0  404  Not Found", b"HTTP/1.0 404 Not Found"),
        (b"HTTP/2 200", b"HTTP/1.1 200 "),
        (b"HTTP/1.1 200OK", b"HTTP/1.1 200 OK"),
        (b"HTTP/1.1 200 \x00OK", b"HTTP/1.1 200  OK"),
    ],
)
def test_status_lines_are_mended(status: bytes, mended: bytes) -> None:
    assert mended_head(head(status=status)) == head(status=mended)


def test_lines_without_carriage_returns() -> None:
    assert mended_head(b"HTTP/1.1 200 OK\nA: 1\nContent-Length: 5\n\n") == head(b"A: 1", b"Content-Length: 5")


def test_the_lines_are_archived_as_they_came() -> None:
    made = head(b"Content-Length: 5, 5", b"Server : x", b"NoColon", b"A: one", b" two")
    assert received_headers(made) == ((b"Content-Length", b"5, 5"), (b"Server ", b"x"), (b"NoColon", b""), (b"A", b"one two"))


def test_what_is_no_http_stays() -> None:
    assert mended_head(b"220 mail.example ESMTP\r\n\r\n") == b"220 mail.example ESMTP\r\n\r\n"


@pytest.mark.parametrize("unit", [b"A : 1\r\n", b" \r\n", b"Content-Length: 1\r\n", b"x", b": \r\n"])
def test_a_hostile_head_takes_bounded_time(unit: bytes) -> None:
    assert growth(lambda size: mended_head(b"HTTP/1.1 200 OK\r\n" + unit * size + b"\r\n"), 20_000) < 8


def test_a_head_of_many_long_lines_is_refused() -> None:
    line = b"X: " + b"a" * (MAX_HEADER_BYTES // 2) + b"\r\n"

    async def lines_taken() -> int:
        handler = LenientResponseHandler(asyncio.get_running_loop())
        handler.set_response_params(max_line_size=MAX_HEADER_BYTES, max_field_size=MAX_HEADER_BYTES, max_headers=MAX_HEADERS)
        handler.data_received(b"HTTP/1.1 200 OK\r\n")
        for number in range(MAX_HEADERS):
            handler.data_received(line)
            if handler.exception() is not None:
                return number
        return MAX_HEADERS

    assert asyncio.run(lines_taken()) * len(line) <= MAX_HEAD_BYTES
