"""Repairs a worker's spool after a crash. Whole captures are registered if the worker still holds the leases; the rest is fetched again."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.capture import UrlKind
from schemas.errors import FencedError
from schemas.outcomes import FetchOutcome, Reason
from schemas.runs import CrawlRun
from spiders.spool.items import ITEMS_SUFFIX
from spiders.spool.spool import JOURNAL_SUFFIX, LOCAL_SUFFIXES, WARC_SUFFIX, remove_segment, upload_segment
from storage.frontier.frontier import Frontier
from storage.frontier.records import EarlierCapture, FetchResult, Lease
from storage.objects.store import ObjectStore
from storage.warc.repair import repair
from storage.warc.writer import ClosedSegment


@dataclass(frozen=True, slots=True)
class Journal:
    """The content of a journal: fencing tokens by host, offsets of the captures whose links are in the frontier, and results."""

    tokens: dict[int, int]
    offsets: frozenset[int]
    results: tuple[tuple[int | None, FetchResult], ...]


def repair_spool(folder: Path, run: CrawlRun, worker: str, held: Sequence[Lease], frontier: Frontier, store: ObjectStore) -> int:
    """Register the whole captures that the previous attempt left in its spool, and empty the spool. Returns how many captures.

    `held` are the leases taken over, each with a token one higher than before. A segment is dropped if it was registered just before the
    crash, or if it depends on a lease that others hold now.
    """
    count = 0
    for path in sorted(folder.glob("*" + WARC_SUFFIX)):
        name = path.name.removesuffix(WARC_SUFFIX)
        if not frontier.is_registered(name):
            count += _register(path, name, run, worker, held, frontier, store)
        remove_segment(folder, name)
    for suffix in LOCAL_SUFFIXES:
        for leftover in folder.glob("*" + suffix):
            leftover.unlink()
    return count


def _register(path: Path, name: str, run: CrawlRun, worker: str, held: Sequence[Lease], frontier: Frontier, store: ObjectStore) -> int:
    journal = read_journal(path.parent / (name + JOURNAL_SUFFIX))
    leases = [lease for lease in held if lease.host_id in journal.tokens]
    if any(journal.tokens[lease.host_id] != lease.token - 1 for lease in leases) or len(leases) != len(journal.tokens):
        return 0
    closed = _truncate(path, journal.offsets)
    if not closed.rows:
        return 0
    last = closed.rows[-1].warc_record_offset
    results = [result for offset, result in journal.results if offset is None or offset <= last]
    try:
        frontier.register(
            run.crawl_run, worker, leases, results, upload_segment(run, name, closed, store, path.parent / (name + ITEMS_SUFFIX))
        )
    except FencedError:
        return 0
    return len(closed.rows)


def _truncate(path: Path, offsets: frozenset[int]) -> ClosedSegment:
    """Cut the segment before the first capture that is not in the journal: its links may be lost."""
    closed = repair(path)
    end = 0
    for row in closed.rows:
        if row.warc_record_offset not in offsets:
            break
        end = row.warc_record_offset + row.warc_record_length
    if end == closed.size:
        return closed
    os.truncate(path, end)
    return repair(path)


def read_journal(path: Path) -> Journal:
    """A journal up to its last whole line."""
    tokens: dict[int, int] = {}
    offsets: set[int] = set()
    results: list[tuple[int | None, FetchResult]] = []
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for line in text[: text.rfind("\n") + 1].splitlines():
        entry = json.loads(line)
        if "host" in entry:
            tokens[entry["host"]] = entry["token"]
            continue
        if entry["offset"] is not None:
            offsets.add(entry["offset"])
        if entry["mark"] is not None:
            results.append((entry["offset"], _result(entry["mark"])))
    return Journal(tokens, frozenset(offsets), tuple(results))


def _result(values: dict[str, object]) -> FetchResult:
    earlier = values.pop("earlier")
    reason = values.pop("reason")
    chain = values.pop("chain", None)
    outcome, kind = FetchOutcome(str(values.pop("outcome"))), UrlKind(str(values.pop("kind")))
    if "leads" in values:  # its name in a journal that an earlier release wrote
        values["is_primary_source"] = values.pop("leads")
    return FetchResult(
        outcome=outcome,
        kind=kind,
        reason=Reason(str(reason)) if reason else None,
        earlier=EarlierCapture(**earlier) if isinstance(earlier, dict) else None,
        chain=tuple(map(str, chain)) if isinstance(chain, list) else (),
        **values,  # type: ignore[arg-type]
    )
