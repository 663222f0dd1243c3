"""Captures that were adopted before, from a file that begins like the one to adopt.

It was cut off then, or has grown since, or was compressed in another way.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import BinaryIO

from schemas.errors import ConflictError, NotFoundError
from schemas.keys import adopted_key
from storage.index.rows import CaptureRow, read_index
from storage.ledger.ledger import Ledger
from storage.objects.store import ObjectStore
from storage.warc.stream import DamagedError, RecordStream

BEGIN_BYTES = 512  # of a file: in these is the information record, with the name or the identifier of the file
MAX_CAPTURES = 1_000_000  # of earlier files that are compared: some 200 MB of memory
Place = tuple[str, int, str]  # the file, the offset and the digest of a stored capture
EarlierCaptures = dict[bytes, tuple[Place, int]]  # the last place of equal captures, and how many they are, by their identity


def begin_digests(stream: BinaryIO) -> tuple[str, ...]:
    """What files have in common of which one is the beginning of the other: their first bytes, and the head of their first record."""
    first = hashlib.sha256(stream.read(BEGIN_BYTES)).hexdigest()
    stream.seek(0)
    records = RecordStream(stream)
    try:
        head = records.read_head() if records.begin() else b""
    except DamagedError:
        head = b""
    return (first, hashlib.sha256(b"record " + head).hexdigest()) if head else (first,)


def remember_begin(crawl: str, begins: Collection[str], digest: str, store: ObjectStore) -> None:
    """Remember that an adopted file with this digest has these beginnings."""
    for begin in begins:
        store.put_bytes(_key(crawl, begin), json.dumps(sorted({*_files(crawl, begin, store), digest})).encode())


def earlier_captures(crawl: str, begins: Collection[str], digest: str, ledger: Ledger, store: ObjectStore) -> EarlierCaptures:
    """The captures of other files with one of these beginnings that the crawl has."""
    found: EarlierCaptures = {}
    for other in {other for begin in begins for other in _files(crawl, begin, store)} - {digest}:
        add_captures(found, _rows(crawl, other, ledger, store))
    return found


def add_captures(found: EarlierCaptures, rows: Iterable[CaptureRow]) -> None:
    """Add captures, as far as there is room."""
    for row in rows:
        key = capture_identity(row)
        if key in found or len(found) < MAX_CAPTURES:
            found[key] = ((row.warc_filename, row.warc_record_offset, row.content_digest), found[key][1] + 1 if key in found else 1)


class CopiesOfCall:
    """The captures that one call has copied, of files that begin like another one of its files that is still to be copied."""

    def __init__(self, begins: Mapping[str, Sequence[str]]) -> None:
        """`begins` are the beginnings of the call's files, by their digests."""
        self._groups = _groups(begins)
        self._waiting = Counter(self._groups.values())
        self._captures: dict[int, EarlierCaptures] = {}

    def in_order(self, sizes: Mapping[str, int]) -> list[str]:
        """The files in their order, but those that begin alike together, the largest of them first.

        It has what the others have. So a call that is repeated after a kill stores the same, also if its files are named in another order.
        """
        return sorted(self._groups, key=lambda digest: (self._groups[digest], -sizes[digest], digest))

    def with_earlier(self, digest: str, earlier: EarlierCaptures) -> EarlierCaptures:
        """`earlier` captures, and what the call copied before of files that begin like this one."""
        found = dict(earlier)
        for key, (place, number) in self._captures.get(self._groups[digest], {}).items():
            found[key] = (place, number + (found[key][1] if key in found else 0))
        return found

    def add(self, digest: str, rows: Sequence[CaptureRow]) -> None:
        """Add captures of a file."""
        group = self._groups[digest]
        if self._waiting[group] > 1:
            add_captures(self._captures.setdefault(group, {}), rows)

    def end(self, digest: str) -> None:
        """Forget what no other file needs: a call may have thousands of pairs of files."""
        group = self._groups[digest]
        self._waiting[group] -= 1
        if not self._waiting[group]:
            self._captures.pop(group, None)


def _groups(begins: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The files that begin alike have one number, by their digests."""
    first: dict[str, int] = {}
    groups: dict[str, int] = {}
    for place, (digest, several) in enumerate(begins.items()):
        groups[digest] = min((first[begin] for begin in several if begin in first), default=place)
        for begin in several:
            first.setdefault(begin, groups[digest])
    return groups


def capture_identity(row: CaptureRow) -> bytes:
    """The same for two copies of one record. Other records of one second may have it too: redirects without a body, for example."""
    facts = (row.url, row.fetch_time.isoformat(), row.content_digest, row.record_type, str(row.fetch_status), row.request_method or "")
    told = (row.fetch_redirect or "", row.request_body or "")
    return hashlib.blake2b("\0".join((*facts, *told)).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _rows(crawl: str, digest: str, ledger: Ledger, store: ObjectStore) -> list[CaptureRow]:
    """The rows of an adopted file, if its run was not discarded."""
    mark = adopted_key(crawl, digest)
    crawl_run = json.loads(store.get_bytes(mark))["crawl_run"] if store.info(mark) else None
    try:
        segments = ledger.manifest(crawl_run).segments if crawl_run else ()
    except (NotFoundError, ConflictError):
        return []
    keys = [segment.index_key for segment in segments if segment.segment.startswith(f"adopted-{digest[:16]}-")]
    return [row for key in keys if store.info(key) for row in read_index(store.get_bytes(key))]


def _files(crawl: str, begin: str, store: ObjectStore) -> set[str]:
    key = _key(crawl, begin)
    return set(json.loads(store.get_bytes(key))) if store.info(key) else set()


def _key(crawl: str, begin: str) -> str:
    return adopted_key(crawl, f"begin-{begin}")
