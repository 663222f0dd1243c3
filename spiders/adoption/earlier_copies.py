"""Captures that were adopted before, from a file that begins like the one to adopt: it was cut off then, or has grown since."""

from __future__ import annotations

import hashlib
import json
from typing import BinaryIO

from schemas.errors import ConflictError, NotFoundError
from schemas.keys import adopted_key
from storage.index.rows import CaptureRow, read_index
from storage.ledger.ledger import Ledger
from storage.objects.store import ObjectStore

BEGIN_BYTES = 512  # of a file: in these is the information record, with the name or the identifier of the file
MAX_CAPTURES = 1_000_000  # of earlier files that are compared: some 200 MB of memory
Place = tuple[str, int, str]  # the file, the offset and the digest of a stored capture


def begin_digest(stream: BinaryIO) -> str:
    """What files have in common of which one is the beginning of the other."""
    return hashlib.sha256(stream.read(BEGIN_BYTES)).hexdigest()


def remember_begin(crawl: str, begin: str, digest: str, store: ObjectStore) -> None:
    """Remember that an adopted file with this digest has this beginning."""
    store.put_bytes(_key(crawl, begin), json.dumps(sorted({*_files(crawl, begin, store), digest})).encode())


def earlier_captures(crawl: str, begin: str, digest: str, ledger: Ledger, store: ObjectStore) -> dict[bytes, Place]:
    """The captures of other files with this beginning that the crawl has, with their places."""
    found: dict[bytes, Place] = {}
    for other in _files(crawl, begin, store) - {digest}:
        for row in _rows(crawl, other, ledger, store):
            if len(found) < MAX_CAPTURES:
                found[capture_identity(row)] = (row.warc_filename, row.warc_record_offset, row.content_digest)
    return found


def capture_identity(row: CaptureRow) -> bytes:
    """The same for two copies of one record."""
    facts = (row.url, row.fetch_time.isoformat(), row.content_digest, row.record_type, str(row.fetch_status), row.request_method or "")
    return hashlib.blake2b("\0".join(facts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


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
