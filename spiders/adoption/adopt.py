"""Adopts WARC files as a closed run of a crawl. Doing it again, also after a kill, adopts nothing twice."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import BinaryIO, Protocol

from runtime import failpoint
from runtime.code_version import code_version
from runtime.scratch import scratch_folder
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings, make_home
from schemas.errors import ConflictError, NotFoundError, ThresholdError
from schemas.keys import adopted_key, crawl_run_of, index_key, segment_items_key, segment_key
from schemas.manifest import Manifest, Segment
from schemas.numbers import plural
from schemas.runs import CrawlRun, config_hash
from spiders.adoption.earlier_copies import CopiesOfCall, EarlierCaptures, begin_digests, earlier_captures, remember_begin
from spiders.adoption.learning import adopted_urls, learning
from spiders.adoption.segments import CopyCounts, SegmentCopier
from spiders.adoption.taken_down import is_taken_down
from spiders.run import close, close_abandoned
from storage.database.clock import check_clock
from storage.frontier.adoption import WORKER, adopt_segment
from storage.frontier.frontier import Frontier, open_frontier
from storage.index.rows import CaptureRow, read_index, write_index
from storage.lake.takedown import read_erased, read_takedowns
from storage.ledger.ledger import Ledger, open_ledger
from storage.ledger.unknown_segments import segment_name, unknown_segments
from storage.objects.open import open_store
from storage.objects.store import ObjectInfo, ObjectStore
from storage.warc.repair import repair
from storage.warc.writer import ClosedSegment

KEY = "adopt"  # the beginning of the keys of such runs
BEAT_SECONDS = 5.0  # a third of the silence after which a run counts as abandoned
READ_BYTES = 1 << 20
RUN_NAME = re.compile(r".+-(\d{8}T\d{6}Z)-[0-9a-f]{6}")
LOG = logging.getLogger(__name__)
Progress = Callable[[int, int], None]


class Source(Protocol):
    """A WARC file: its name for people, its size in bytes, and a stream of its bytes."""

    @property
    def name(self) -> str:
        """The name."""

    @property
    def size(self) -> int:
        """The size."""

    def open(self) -> AbstractContextManager[BinaryIO]:
        """The stream, from its beginning."""


@dataclass(slots=True)
class Adopted:
    """What was adopted: the manifests of its runs, and of files what was copied. `known`: the files that were adopted before."""

    manifests: list[Manifest] = field(default_factory=list)
    segments: int = 0
    known: list[str] = field(default_factory=list)
    counts: CopyCounts = field(default_factory=CopyCounts)


@dataclass(frozen=True, slots=True)
class _Object:
    """A segment in the store as a file to copy."""

    store: ObjectStore
    info: ObjectInfo

    @property
    def name(self) -> str:
        return self.info.key

    @property
    def size(self) -> int:
        return self.info.size

    def open(self) -> AbstractContextManager[BinaryIO]:
        return self.store.open(self.info.key)


class _Adoption:
    """One run that is filled: what its worker does, without a web. It begins with the first segment, so that no run stays empty."""

    def __init__(self, run: CrawlRun, frontier: Frontier, ledger: Ledger, store: ObjectStore) -> None:
        self.run = run
        self.store = store
        self.has_begun = False
        self._ledger = ledger
        self._frontier = frontier
        self._learn = learning(run.crawl)
        self._attempt = 0
        self._beaten_at = time.monotonic()

    def beat(self) -> None:
        """Report now and then that somebody works on the run. Raises FencedError if another process has taken it over."""
        if self.has_begun and time.monotonic() - self._beaten_at > BEAT_SECONDS:
            self._frontier.report_hosts(self.run.crawl_run, WORKER, self._attempt, 0)
            self._beaten_at = time.monotonic()

    def earlier_captures(self, begins: Sequence[str], digest: str) -> EarlierCaptures:
        """The captures that the crawl has from other files with these beginnings."""
        return earlier_captures(self.run.crawl.name, begins, digest, self._ledger, self.store)

    def is_registered(self, name: str) -> bool:
        """Whether a segment of that name is registered."""
        return self._frontier.is_registered(name)

    def register(self, segment: Segment, rows: Iterable[CaptureRow]) -> None:
        """Register a segment that is in the store. Raises RunClosedError if somebody closed the run meanwhile."""
        if not self.has_begun:
            self._ledger.add_crawl_run(self.run)
            self._attempt, _ = self._frontier.join(self.run.crawl_run, WORKER)
            self.has_begun = True
        urls = list(adopted_urls(rows, self.run.crawl))
        failpoint.reached("before-adopt")
        adopt_segment(self._ledger.database, self.run.crawl_run, self.run.crawl.name, segment, urls, self._learn)
        failpoint.reached("after-adopt")


def adopt_files(crawl: Crawl, sources: Sequence[Source], settings: Settings, progress: Progress = lambda *_: None) -> Adopted:
    """Copy WARC files into segments, and make these a closed run of a crawl. Files that were adopted before are left out.

    Raises OSError for a file that cannot be read, RunClosedError if another command closed the run: run it again.
    """
    with _opened(settings) as (frontier, ledger, store):
        return _adopt_copies(crawl, sources, settings, progress, frontier, ledger, store)


def adopt_stored(crawl: Crawl, settings: Settings, progress: Progress = lambda *_: None) -> Adopted:
    """Adopt the segments of a crawl in the store that the database does not know.

    The runs that it does not know either are made again, with their names. Segments of a run that is closed are copied into a run of their
    own, since nothing is added to a closed run. Those of a run that somebody works on are left alone. Raises ConflictError, and adopts
    nothing, if one of them has a page that was erased.
    """
    with _opened(settings) as (frontier, ledger, store):
        found = sorted(unknown_segments(ledger, store, crawl.name), key=lambda info: info.key)
        _refuse_erased(crawl.name, found, settings, store)
        runs, unclosed = {run.crawl_run: run for run in ledger.crawl_runs(crawl.name)}, ledger.unclosed_runs(crawl.name)
        adopted, lost, rest, done = Adopted(), dict[str, list[ObjectInfo]](), list[ObjectInfo](), 0
        for info in found:
            name = crawl_run_of(info.key)
            if name not in runs or (name in unclosed and runs[name].key == _key_of_run(name)):  # the latter: this was interrupted
                lost.setdefault(name, []).append(info)
            else:
                rest.append(info)
        total = sum(info.size for info in found)
        for name, infos in lost.items():
            adopted.manifests.append(_make_again(crawl, name, infos, settings, frontier, ledger, store))
            adopted.segments += len(infos)
            done += sum(info.size for info in infos)
            progress(done, total)
        if rest:
            close_abandoned(crawl.name, KEY, settings)
            copied = _objects_of_closed_runs(rest, set(ledger.unclosed_runs(crawl.name)), store)
            made = _adopt_copies(crawl, copied, settings, lambda at, _: progress(done + at, total), frontier, ledger, store)
            adopted.manifests += made.manifests
            adopted.segments += made.segments
            adopted.counts, adopted.known = made.counts, made.known
    return adopted


def _refuse_erased(crawl: str, found: Sequence[ObjectInfo], settings: Settings, store: ObjectStore) -> None:
    """Raise ConflictError if a segment has a page again that was erased, as after an older copy of the store was restored."""
    erased = read_erased(store)
    segments = (_stored_rows(crawl, info, settings, store) for info in found) if erased else ()
    records = [sum(is_taken_down(row, erased) or erased.covers(row.via or "") for row in rows) for rows in segments]
    if any(records):
        raise ConflictError(
            f"{plural(sum(records), 'record')} in {plural(sum(map(bool, records)), 'segment')} of pages that were erased, or found on one. "
            "Nothing is adopted. Erase these pages again (`crawlhouse takedown list` has them), then run this again."
        )


def _objects_of_closed_runs(found: Sequence[ObjectInfo], working: set[str], store: ObjectStore) -> list[Source]:
    left = {crawl_run_of(info.key) for info in found} & working
    for name in sorted(left):
        LOG.warning("The segments of %s are left alone: somebody works on that run.", name)
    return [_Object(store, info) for info in found if crawl_run_of(info.key) not in left]


@contextmanager
def _opened(settings: Settings) -> Iterator[tuple[Frontier, Ledger, ObjectStore]]:
    """Frontier, ledger and store, ready to be written."""
    make_home(settings)
    store = open_store(settings)
    store.check()
    check_clock(settings)
    frontier, ledger = open_frontier(settings), open_ledger(settings)
    try:
        yield frontier, ledger, store
    finally:
        ledger.close()
        frontier.close()


def _adopt_copies(
    crawl: Crawl, sources: Sequence[Source], settings: Settings, progress: Progress, frontier: Frontier, ledger: Ledger, store: ObjectStore
) -> Adopted:
    digests = {_digest(source): source for source in sources}  # a file that is given twice is adopted once
    new = {digest: source for digest, source in digests.items() if not _is_adopted(crawl.name, digest, ledger, store)}
    adopted = Adopted(known=[source.name for digest, source in digests.items() if digest not in new])
    if not new:
        return adopted
    key = f"{KEY} {hashlib.sha256(' '.join(sorted(digests)).encode()).hexdigest()[:32]}"
    close_abandoned(crawl.name, key, settings)
    adoption = _Adoption(_next_run(crawl, key, ledger), frontier, ledger, store)
    begins = {digest: _begins(source) for digest, source in new.items()}
    _copy_all(adoption, new, begins, adopted, settings, progress)
    if adoption.has_begun or adoption.run.crawl_run in ledger.unclosed_runs(crawl.name):
        adopted.manifests.append(_close(adoption.run, settings))
        adopted.segments = len(adopted.manifests[-1].segments)
    for digest, source in new.items():
        mark = {"file": source.name, "crawl_run": adoption.run.crawl_run if adoption.has_begun else None}
        remember_begin(crawl.name, begins[digest], digest, store)
        store.put_bytes(adopted_key(crawl.name, digest), json.dumps(mark).encode())
    return adopted


def _copy_all(
    adoption: _Adoption,
    sources: Mapping[str, Source],
    begins: Mapping[str, Sequence[str]],
    adopted: Adopted,
    settings: Settings,
    progress: Progress,
) -> None:
    """Copy files, by their digests, and register their segments."""
    done, total = 0, sum(source.size for source in sources.values())
    copies = CopiesOfCall(begins)
    with scratch_folder(settings.home) as folder:
        copier = SegmentCopier(adoption.run, folder, adopted.counts, read_takedowns(adoption.store), adoption.beat)
        for digest in copies.in_order({digest: source.size for digest, source in sources.items()}):
            source, earlier = sources[digest], copies.with_earlier(digest, adoption.earlier_captures(begins[digest], digest))
            with source.open() as stream:
                for name, closed in copier.copy(stream, source.name, digest, earlier):
                    _store_copy(adoption, name, closed)
                    copies.add(digest, closed.rows)
                    progress(min(done + stream.tell(), total), total)
            copies.end(digest)
            done += source.size
            progress(done, total)


def _next_run(crawl: Crawl, key: str, ledger: Ledger) -> CrawlRun:
    """The unclosed run of a key, or a new one that is not in the ledger yet. A closed one is left as it is."""
    runs, unclosed = {run.key: run for run in ledger.crawl_runs(crawl.name)}, ledger.unclosed_runs(crawl.name)
    for number in count(1):
        numbered = key if number == 1 else f"{key} {number}"
        run = runs.get(numbered)
        if run is None:
            return _new_run(crawl, numbered, datetime.now(UTC))
        if run.crawl_run in unclosed:
            return run
    raise AssertionError("unreachable")


def _store_copy(adoption: _Adoption, name: str, closed: ClosedSegment) -> None:
    """Put a segment into the store, its index first, and register it, if that was not done before a kill."""
    if not adoption.is_registered(name):
        crawl, crawl_run = adoption.run.crawl.name, adoption.run.crawl_run
        segment = Segment(
            segment=name,
            warc_key=segment_key(crawl, crawl_run, name),
            index_key=index_key(crawl, crawl_run, name),
            size=closed.size,
            digest=closed.digest,
            records=len(closed.rows),
        )
        adoption.store.put_bytes(segment.index_key, write_index(closed.rows))
        adoption.store.put_file(segment.warc_key, closed.path)
        adoption.register(segment, closed.rows)
    closed.path.unlink()


def _make_again(
    crawl: Crawl, crawl_run: str, infos: Sequence[ObjectInfo], settings: Settings, frontier: Frontier, ledger: Ledger, store: ObjectStore
) -> Manifest:
    """Make a run again that the database does not know, with the segments that the store has of it."""
    found = RUN_NAME.fullmatch(crawl_run)
    planned_at = datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) if found else datetime.now(UTC)
    adoption = _Adoption(_new_run(crawl, _key_of_run(crawl_run), planned_at, crawl_run), frontier, ledger, store)
    for info in sorted(infos, key=lambda one: one.key):
        adoption.beat()
        segment, rows = _stored_segment(crawl.name, crawl_run, info, settings, store)
        adoption.register(segment, rows)
    return _close(adoption.run, settings)


def _stored_segment(
    crawl: str, crawl_run: str, info: ObjectInfo, settings: Settings, store: ObjectStore
) -> tuple[Segment, list[CaptureRow]]:
    """A segment in the store and its rows. A missing index is made again from the segment."""
    name = segment_name(info.key)
    key = index_key(crawl, crawl_run, name)
    rows = _stored_rows(crawl, info, settings, store)
    digest = f"sha256:{_digest(_Object(store, info))}"
    items = _count_items(segment_items_key(crawl, crawl_run, name), store)
    segment = Segment(segment=name, warc_key=info.key, index_key=key, size=info.size, digest=digest, records=len(rows), items=items)
    return segment, rows


def _stored_rows(crawl: str, info: ObjectInfo, settings: Settings, store: ObjectStore) -> list[CaptureRow]:
    key = index_key(crawl, crawl_run_of(info.key), segment_name(info.key))
    if store.info(key) is not None:
        return list(read_index(store.get_bytes(key)))
    rows = _rows_of(info, settings, store)
    store.put_bytes(key, write_index(rows))
    return rows


def _rows_of(info: ObjectInfo, settings: Settings, store: ObjectStore) -> list[CaptureRow]:
    with scratch_folder(settings.home) as folder:
        path = folder / "segment.warc.gz"
        with store.open(info.key) as stream, path.open("wb") as file:
            shutil.copyfileobj(stream, file)
        return list(repair(path).rows)


def _count_items(key: str, store: ObjectStore) -> int:
    """How many items a user's spider made from a segment's pages."""
    if store.info(key) is None:
        return 0
    with store.open(key) as stream, gzip.open(stream) as lines:
        return sum(1 for _ in lines)


def _new_run(crawl: Crawl, key: str, planned_at: datetime, name: str | None = None) -> CrawlRun:
    """A run that the ledger does not have yet."""
    digest = hashlib.sha256(f"{crawl.name}\0{key}".encode()).hexdigest()[:6]
    name = name or f"{crawl.name}-{planned_at:%Y%m%dT%H%M%SZ}-{digest}"
    return CrawlRun(name, crawl, key, planned_at.replace(microsecond=0), code_version(), config_hash(crawl))


def _key_of_run(crawl_run: str) -> str:
    return f"{KEY} {crawl_run}"


def _is_adopted(crawl: str, digest: str, ledger: Ledger, store: ObjectStore) -> bool:
    """Whether a file was adopted wholly, and the database knows of it."""
    key = adopted_key(crawl, digest)
    if store.info(key) is None:
        return False
    crawl_run = json.loads(store.get_bytes(key))["crawl_run"]
    try:
        return crawl_run is not None and ledger.crawl_run(crawl_run) is not None
    except NotFoundError:
        return False


def _begins(source: Source) -> tuple[str, ...]:
    with source.open() as stream:
        return begin_digests(stream)


def _close(run: CrawlRun, settings: Settings) -> Manifest:
    try:
        return close(run.crawl_run, settings)
    except ThresholdError as missed:  # it is closed nevertheless, and fetched nothing
        LOG.warning("%s", missed)
        ledger = open_ledger(settings)
        try:
            return ledger.manifest(run.crawl_run)
        finally:
            ledger.close()


def _digest(source: Source) -> str:
    digest = hashlib.sha256()
    with source.open() as stream:
        while part := stream.read(READ_BYTES):
            digest.update(part)
    return digest.hexdigest()
