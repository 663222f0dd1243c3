"""Each misbehaviour, seen by a client that trusts nothing: a bare socket."""

from __future__ import annotations

import gzip
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from demo.misbehaviour.misbehaviours import MISBEHAVIOURS
from tests.demosite import DemoSite

SLOW = {"/odd/drip", "/odd/slow-headers", "/odd/endless-headers"}
HEAD_END = b"\r\n\r\n"


@contextmanager
def _asked(site: DemoSite, path: str, index: int = 0) -> Iterator[socket.socket]:
    parts = urlsplit(site.bases[index])
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
        yield connection


def _raw(site: DemoSite, path: str, index: int = 0) -> bytes:
    with _asked(site, path, index) as connection:
        return b"".join(iter(lambda: connection.recv(1 << 20), b""))


def _head_and_body(site: DemoSite, path: str, index: int = 0) -> tuple[str, bytes]:
    head, _, body = _raw(site, path, index).partition(HEAD_END)
    return head.decode("latin-1"), body


def test_every_listed_misbehaviour_answers_on_both_sites(demo_site: DemoSite) -> None:
    assert len(MISBEHAVIOURS) >= 50
    assert len({odd.path for odd in MISBEHAVIOURS}) == len(MISBEHAVIOURS)
    for odd in MISBEHAVIOURS:
        if odd.path not in SLOW:
            for index in (0, 1):
                assert _raw(demo_site, odd.path, index).startswith(b"HTTP/1."), odd.path


@pytest.mark.parametrize(
    ("path", "status", "line"),
    [
        ("/odd/404", 404, ""),
        ("/odd/410", 410, ""),
        ("/odd/500", 500, ""),
        ("/odd/503-seconds", 503, "Retry-After: 7"),
        ("/odd/503-date", 503, "GMT"),
        ("/odd/429", 429, "Retry-After: 5"),
        ("/odd/chain/5", 302, "Location: /odd/chain/4"),
        ("/odd/loop-a", 302, "Location: /odd/loop-b"),
        ("/odd/to-private-10", 302, "Location: http://10.0.0.1/"),
        ("/odd/to-decimal", 302, "Location: http://2130706433/"),
        ("/odd/to-file", 302, "Location: file:///"),
        ("/odd/204", 204, ""),
        ("/odd/206", 206, "Content-Range: bytes 0-599/"),
        ("/odd/noarchive", 200, "X-Robots-Tag: noarchive"),
        ("/odd/tdm-header", 200, "tdm-reservation: 1"),
        ("/odd/twice", 200, "X-Seen: first\r\nSet-Cookie: b=2; Path=/\r\nX-Seen: second"),
        ("/odd/obs-fold", 200, "X-Folded: the first half\r\n and the second half"),
    ],
)
def test_status_and_header(demo_site: DemoSite, path: str, status: int, line: str) -> None:
    head, _ = _head_and_body(demo_site, path)
    assert head.split()[1] == str(status)
    assert line in head


def test_bodies_that_lie(demo_site: DemoSite) -> None:
    head, body = _head_and_body(demo_site, "/odd/cut-body")
    promised = int(next(line for line in head.split("\r\n") if line.startswith("Content-Length")).split()[1])
    assert 0 < len(body) < promised
    assert not _raw(demo_site, "/odd/cut-chunk").endswith(b"0\r\n\r\n")
    bomb = _head_and_body(demo_site, "/odd/bomb")[1]
    assert len(bomb) < 200_000
    assert struct.unpack("<I", bomb[-4:])[0] == 100 * 1024 * 1024
    with pytest.raises(gzip.BadGzipFile):
        gzip.decompress(_head_and_body(demo_site, "/odd/not-gzip")[1])
    with pytest.raises(UnicodeDecodeError):
        _head_and_body(demo_site, "/odd/wrong-charset")[1].decode("utf-8")
    assert "議会" in _head_and_body(demo_site, "/odd/no-charset")[1].decode("shift_jis")
    assert _head_and_body(demo_site, "/odd/empty")[1] == b""


@pytest.mark.parametrize("path", ["/odd/drip", "/odd/slow-headers"])
def test_slow_answers_take_about_a_second_a_piece(demo_site: DemoSite, path: str) -> None:
    start = time.monotonic()
    with _asked(demo_site, path) as connection:
        first = connection.recv(4096)
        connection.recv(4096)
        assert first.startswith(b"HTTP/1.1 200")
        assert time.monotonic() - start > 0.8


def test_headers_do_not_end(demo_site: DemoSite) -> None:
    with _asked(demo_site, "/odd/endless-headers") as connection:
        read = 0
        while read < 2_000_000:
            data = connection.recv(1 << 16)
            assert data
            assert HEAD_END not in data
            read += len(data)


def test_traps_lead_on(demo_site: DemoSite) -> None:
    seen = set()
    path = "/odd/calendar"
    for _ in range(30):
        body = _head_and_body(demo_site, path)[1].decode()
        path = body.split('href="')[1].partition('"')[0]
        assert path not in seen
        seen.add(path)


def test_oddities_are_linked_only_when_asked(demo_site: DemoSite) -> None:
    home = _head_and_body(demo_site, "/")[1].decode()
    assert 'href="/odd/"' not in home
    assert 'href="/odd/to-private-10"' in home
    assert all(f'href="{odd.path}"' in _head_and_body(demo_site, "/odd/")[1].decode() for odd in MISBEHAVIOURS)
