"""Segments in the store that the database does not know: an older backup was restored, or a worker was killed before it registered them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from sqlalchemy import select

from schemas.keys import WARC_SUFFIX, warc_prefix
from storage.database.ledger_tables import SEGMENTS
from storage.ledger.ledger import LOOKUP_NAMES, Ledger
from storage.objects.store import ObjectInfo, ObjectStore


def unknown_segments(ledger: Ledger, store: ObjectStore, crawl: str | None = None) -> Iterator[ObjectInfo]:
    """The segments of a crawl, or of all, that are not registered, in the order of the store. Raises UnavailableError, StorageError."""
    batch: list[ObjectInfo] = []
    for info in store.list(warc_prefix(crawl)):
        if info.key.endswith(WARC_SUFFIX) and info.key.count("/") == 3:
            batch.append(info)
        if len(batch) == LOOKUP_NAMES:
            yield from _unknown(ledger, batch)
            batch = []
    yield from _unknown(ledger, batch)


def count_unknown_segments(ledger: Ledger, store: ObjectStore) -> dict[str, int]:
    """How many of them each crawl has."""
    return dict(sorted(Counter(info.key.split("/")[1] for info in unknown_segments(ledger, store)).items()))


def _unknown(ledger: Ledger, found: Sequence[ObjectInfo]) -> list[ObjectInfo]:
    with ledger.database.read() as connection:
        keys = set(
            connection.scalars(select(SEGMENTS.c.warc_key).where(SEGMENTS.c.segment.in_([segment_name(info.key) for info in found])))
        )
    return [info for info in found if info.key not in keys]


def segment_name(key: str) -> str:
    """The name of a segment by its key."""
    return key.rpartition("/")[2].removesuffix(WARC_SUFFIX)
