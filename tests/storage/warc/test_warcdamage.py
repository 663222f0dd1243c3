"""WARC files of anybody: two good records are read whatever bytes are between them, and the work is linear in the size of the file."""

from __future__ import annotations

import gzip
import io
import random
import zlib
from collections.abc import Callable

import pytest
from backports import zstd

from storage.warc.reader import Record, read_records
from storage.warc.window import UnreadableError
from tests.cpu import growth

EMPTY_GZIP, EMPTY_ZSTD = gzip.compress(b"", mtime=0), zstd.compress(b"")
PACKS: dict[str, Callable[[list[bytes]], bytes]] = {
    "plain": b"".join,
    "gzip": lambda records: b"".join(map(gzip.compress, records)),
    "zstd": lambda records: b"".join(map(zstd.compress, records)),
    "one gzip member": lambda records: gzip.compress(b"".join(records)),
    "one zstd frame": lambda records: zstd.compress(b"".join(records)),
}


def made(url: str, body: bytes = b"<p>x" * 500, length: bytes = b"", extra: bytes = b"", kind: bytes = b"response") -> bytes:
    """A record; `length` is written in place of its true length."""
    block = body if kind == b"metadata" else b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + body
    return (
        b"WARC/1.0\r\nWARC-Type: %s\r\nWARC-Target-URI: %s\r\nWARC-Date: 2026-01-01T00:00:00Z\r\nWARC-Record-ID: <urn:uuid:1>\r\n"
        b"Content-Type: application/http\r\n%sContent-Length: %s\r\n\r\n%s\r\n\r\n"
    ) % (kind, url.encode(), extra, length or b"%d" % len(block), block)


FIRST, LAST = made("http://good/1"), made("http://good/2")


def urls(data: bytes | io.RawIOBase) -> list[str]:
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    return [found.capture.url for found in read_records(stream, "x") if isinstance(found, Record)]  # type: ignore[arg-type]


def goods(data: bytes | io.RawIOBase) -> list[str]:
    return [url for url in urls(data) if url.startswith("http://good")]


BETWEEN = {
    "a length of 5,000 digits": [made("http://x/", length=b"9" * 5000)],
    "a length of 18 digits": [made("http://x/", length=b"9" * 18)] * 3,
    "a length that is no ASCII number": [made("http://x/", length="²".encode()), made("http://x/", length="١٢".encode())],
    "a negative length": [made("http://x/", length=b"-5")],
    "a length that is too short": [made("http://x/", length=b"5")],
    "a length that is too long by a little": [made("http://x/", length=b"2049")],
    "a length that reaches over the next record": [made("http://x/", length=b"2500")],
    "a length that reaches over the file": [made("http://x/", length=b"30000000")],
    "a head without an end": [b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 5\r\n"],
    "an endless head": [b"WARC/1.0\r\n" + b"X: y\r\n" * 100_000],
    "heads without a record": [b"WARC/1.0\r\nContent-Length: x\r\n\r\n"] * 50,
    "numbers of 5,000 digits in fields": [
        made("http://x/", b"depth: " + b"9" * 5000 + b"\r\nfetchTimeMs: 99999999999999999999\r\n", kind=b"metadata"),
        made("http://x/", extra=b"WARC-Refers-To-File-Offset: " + b"9" * 5000 + b"\r\n"),
    ],
    "a date before the calendar": [made("http://x/").replace(b"2026-01-01T00:00:00Z", b"0001-01-01T00:00:00+23:59")],
    "an odd status": [made("http://x/").replace(b" 200 ", " ٢٠٠ ".encode())],
    "a chunk of 5,000 digits": [
        made("http://x/", b"9" * 5000 + b"\r\na").replace(b"\r\n\r\n9", b"\r\nTransfer-Encoding: chunked\r\n\r\n9")
    ],
    "zeros": [bytes(5000)],
}


@pytest.mark.parametrize("packing", PACKS)
@pytest.mark.parametrize("between", BETWEEN)
def test_both_neighbours_are_read(between: str, packing: str) -> None:
    assert goods(PACKS[packing]([FIRST, *BETWEEN[between], LAST])) == ["http://good/1", "http://good/2"]


def test_numbers_out_of_bounds_are_none() -> None:
    told = b"depth: 99999999\r\nfetchTimeMs: 9999999999999\r\n"
    metadata = made("http://x/", told, kind=b"metadata", extra=b"WARC-Concurrent-To: <urn:uuid:1>\r\n")
    (found,) = read_records(io.BytesIO(metadata + made("http://x/", extra=b"WARC-Refers-To-File-Offset: 9999999999999999999\r\n")), "x")
    assert isinstance(found, Record)
    assert (found.capture.depth, found.capture.latency_ms, found.refers_to_offset) == (0, 0, None)


def test_empty_members_are_no_damage() -> None:
    for pack, empty in ((gzip.compress, EMPTY_GZIP), (zstd.compress, EMPTY_ZSTD)):
        found = list(read_records(io.BytesIO(pack(FIRST) + empty * 50 + pack(LAST)), "x"))
        assert [isinstance(record, Record) for record in found] == [True, True]


def test_skippable_zstd_frames_are_skipped() -> None:
    skippable = b"\x50\x2a\x4d\x18\x05\x00\x00\x00hello" * 3000
    assert len(urls(skippable + zstd.compress(FIRST) + skippable + zstd.compress(LAST))) == 2


def test_a_dictionary_that_unpacks_to_too_much_is_damage() -> None:
    bomb = zstd.compress(bytes(100_000_000))
    assert urls(b"\x5d\x2a\x4d\x18" + len(bomb).to_bytes(4, "little") + bomb + zstd.compress(LAST)) == ["http://good/2"]


def test_a_bomb_costs_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.warc.stream.FREE_DECODED_BYTES", 1_000_000)
    bomb = gzip.compress(made("http://bomb/", bytes(60_000_000)))
    found = list(read_records(io.BytesIO(gzip.compress(FIRST) + bomb + gzip.compress(LAST)), "x"))
    assert [isinstance(record, Record) for record in found] == [True, False, True]
    assert "a bomb" in str(found[1])


class Torn(io.BytesIO):
    """A stream that cannot be read to its end, as of a damaged zip."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise UnreadableError("the zip is damaged")
        return super().read(size)


def test_a_stream_that_ends_too_early_is_reported_once() -> None:
    found = list(read_records(Torn(FIRST + LAST), "x"))
    assert [record.capture.url if isinstance(record, Record) else record.detail for record in found] == [
        "http://good/1", "http://good/2", "the zip is damaged",
    ]  # fmt: skip


def _repeated(unit: bytes, pack: Callable[[bytes], bytes] = bytes) -> Callable[[int], bytes]:
    return lambda size: pack(FIRST) + unit * (size // len(unit)) + pack(LAST)


# What cost the square of its number, most of it many minutes for a file of a few megabytes.
MANY: dict[str, tuple[int, Callable[[int], bytes]]] = {
    "empty gzip members": (200_000, _repeated(EMPTY_GZIP, gzip.compress)),
    "empty zstd frames": (50_000, _repeated(EMPTY_ZSTD, zstd.compress)),
    "heads without a record": (100_000, _repeated(b"WARC/1.0\r\nContent-Length: x\r\n\r\n")),
    "heads in one member": (100_000, lambda size: gzip.compress(_repeated(b"WARC/1.0\r\nContent-Length: x\r\n\r\n")(size))),
    "tiny records": (100_000, _repeated(made("http://x/", b"", kind=b"metadata"))),
    "marks of gzip": (100_000, _repeated(b"\x1f\x8b\x08", gzip.compress)),
    "endless names of gzip members": (100_000, _repeated(b"\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\xff", gzip.compress)),
    "gzip members in gzip members": (
        100_000,
        _repeated(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x00\xff\xff\x00\x00WARC/1.0\r\nContent-Length: 99999\r\n\r\n", gzip.compress),
    ),
    "lengths over the file": (200_000, _repeated(made("http://x/", b"y", length=b"9" * 18))),
    "lengths over many records": (200_000, _repeated(made("http://x/", b"y", length=b"100001"))),
    "such lengths in one member": (200_000, lambda size: gzip.compress(_repeated(made("http://x/", b"y", length=b"9" * 18))(size))),
}


@pytest.mark.parametrize("name", MANY)
def test_work_is_linear_in_the_file(name: str) -> None:
    size, make = MANY[name]
    assert goods(make(size)) == ["http://good/1", "http://good/2"]
    assert growth(lambda count: urls(make(count)), size) < 9


@pytest.mark.parametrize("line", [b" x\n", b"X-Crawler-Content-Length: 1\r\n"])
def test_work_is_linear_in_the_headers(line: bytes) -> None:
    def read(size: int) -> None:
        block = b"HTTP/1.1 200 OK\r\nA: b\r\n" + line * (size // len(line)) + b"\r\nbody"
        head = b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://x/\r\nWARC-Date: 2026-01-01\r\nContent-Length: %d\r\n\r\n"
        assert urls(head % len(block) + block + b"\r\n\r\n") == ["http://x/"]

    assert growth(read, 200_000) < 9


class OneWay(io.RawIOBase):
    """A stream that cannot seek."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(size, 1000) if size >= 0 else 1000)


@pytest.mark.parametrize("seed", range(4))
def test_mutations_of_one_record_cost_no_other(seed: int) -> None:
    """Flipped, deleted, doubled and inserted bytes, wrong lengths and other line ends, with each compression."""
    rng = random.Random(seed)
    for number in range(100):
        packing, victim = rng.choice(list(PACKS)), rng.choice((1, 2))
        body = bytes(rng.choices(b"abc <>pq\r\n", k=rng.choice((0, 10, 200, 5000))))
        records = [made(f"http://good/{place}", body) for place in range(4)]
        if packing in {"gzip", "zstd"} and rng.random() < 0.6:
            parts = [PACKS[packing]([record]) for record in records]
            parts[victim] = _mutated(rng, parts[victim])
            data = b"".join(parts)
        else:
            records[victim] = _mutated(rng, records[victim])
            data = PACKS[packing](records)
        found = urls(OneWay(data) if rng.random() < 0.15 else data)
        others = [f"http://good/{place}" for place in range(4) if place != victim]
        assert [found.count(url) for url in others] == [1, 1, 1], (seed, number, packing)


def _mutated(rng: random.Random, record: bytes) -> bytes:
    for _ in range(rng.choice((1, 1, 2, 4))):
        start = rng.randrange(len(record) or 1)
        end = start + rng.choice((1, 2, 8, 40, 200, 2000))
        record = rng.choice(_MUTATIONS)(rng, record, start, end)
    return record


_LENGTHS = (b"9", b"99999999", b"-", b"0", b"1", b"9" * 5000, b"\xb2", b" ", b"0x")
_INSERTED = (
    b"WARC/1.0\r\n",
    b"\x1f\x8b\x08\x00",
    b"\x28\xb5\x2f\xfd",
    b"\r\n\r\n",
    b"\x50\x2a\x4d\x18\x05\x00\x00\x00",
    b"Content-Length: 5\r\n",
)
_MUTATIONS: tuple[Callable[[random.Random, bytes, int, int], bytes], ...] = (
    lambda rng, data, start, _: data[:start] + bytes(byte ^ 1 << rng.randrange(8) for byte in data[start : start + 1]) + data[start + 1 :],
    lambda _rng, data, start, end: data[:start] + data[end:],
    lambda _rng, data, start, end: data[:end] + data[start:],
    lambda _rng, data, start, end: data[:start] + bytes(end - start) + data[end:],
    lambda rng, data, start, end: data[:start] + rng.randbytes(end - start) + data[end:],
    lambda rng, data, _start, _end: data.replace(b"Content-Length: ", b"Content-Length: " + rng.choice(_LENGTHS), 1),
    lambda rng, data, _start, _end: data.replace(b"\r\n", rng.choice((b"\n", b"\r", b"\n\n", b"", b"\r\n ")), rng.choice((1, 3, 100))),
    lambda rng, data, start, _: data[:start] + rng.choice(_INSERTED) + data[start:],
    lambda _rng, data, start, _: data[:start] + b"X: " + b"y" * 300_000 + data[start:],
    lambda _rng, data, start, _: data[:start],
    lambda _rng, data, _start, _end: gzip.compress(data),
    lambda _rng, data, _start, _end: zlib.compress(data),
)
