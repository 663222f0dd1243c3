"""Deletes the WARC segments that a crawl keeps no longer. Rows, manifests and the capture index stay."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select

from runtime.failpoint import reached
from schemas.manifest import Segment
from storage.database.ledger_tables import CRAWL_RUNS
from storage.ledger.held import list_held
from storage.ledger.ledger import Ledger
from storage.objects.store import ObjectStore
from storage.warc.removed_segments import RunRange, prefix_of, read_removed, write_removed


def expired_segments(ledger: Ledger, store: ObjectStore, crawl: str, before: datetime) -> list[Segment]:
    """The segments that `remove_segments` would delete. Raises UnavailableError, StorageError."""
    return [segment for name in _expired_runs(ledger, store, crawl, before) for segment in ledger.manifest(name).segments]


def remove_segments(ledger: Ledger, store: ObjectStore, crawl: str, before: datetime) -> int:
    """Delete the segments of a crawl's runs that were closed before a time; returns how many.

    Only of runs whose rows are all published or decided on, and of none that follows another one. If it is interrupted, the next call
    deletes what is left. One process at a time may call it. Raises UnavailableError, StorageError.
    """
    for name in _expired_runs(ledger, store, crawl, before):
        _mark(store, name)
    reached("retention.marked")
    deleted = 0
    for found in read_removed(store).ranges:
        names = [name for name, _ in _runs(ledger, crawl) if found.deleted < name <= found.last and name >= found.first]
        for name in names:
            for segment in ledger.manifest(name).segments:
                store.delete(segment.warc_key)
                deleted += 1
                reached("retention.deleted")
        if names:
            write_removed(store, read_removed(store).with_range(RunRange(found.first, found.last, found.last)))
    return deleted


def _expired_runs(ledger: Ledger, store: ObjectStore, crawl: str, before: datetime) -> Iterator[str]:
    """The runs whose segments may go and are not marked yet, in the order of their names, up to the first one that must stay."""
    removed, new = read_removed(store), set(ledger.closed_unpublished(crawl))
    held = {one.crawl_run for one in list_held(ledger.database, crawl) if one.decision is None}
    for name, state in _runs(ledger, crawl):
        if removed.covers(name):
            continue
        if state != "closed" or name in new or name in held or ledger.manifest(name).closed_at >= before:
            return
        yield name


def _runs(ledger: Ledger, crawl: str) -> list[tuple[str, str]]:
    """All runs of a crawl with their states, by name."""
    query = select(CRAWL_RUNS.c.crawl_run, CRAWL_RUNS.c.state).where(CRAWL_RUNS.c.crawl == crawl).order_by(CRAWL_RUNS.c.crawl_run)
    with ledger.database.read() as connection:
        return [(row.crawl_run, row.state) for row in connection.execute(query)]


def _mark(store: ObjectStore, crawl_run: str) -> None:
    removed = read_removed(store)
    mine = next((one for one in removed.ranges if prefix_of(one.first) == prefix_of(crawl_run)), None)
    new = RunRange(crawl_run, crawl_run) if mine is None else RunRange(mine.first, crawl_run, mine.deleted)
    write_removed(store, removed.with_range(new))
