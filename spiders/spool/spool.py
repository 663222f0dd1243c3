"""The spool: a worker's open segment on the local disk, and next to it a journal with the results of its URLs.

A killed worker's spool is enough to register what it had fetched, if its leases are still its own.
"""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path

from schemas.capture import Capture
from schemas.config.settings import Settings
from schemas.errors import FencedError, StorageError
from schemas.items import ItemType
from schemas.keys import index_key, segment_item_problems_key, segment_item_types_key, segment_items_key, segment_key
from schemas.manifest import Segment
from schemas.runs import CrawlRun
from spiders.spool.items import ITEMS_SUFFIX, PACKED_SUFFIX, PROBLEMS_SUFFIX, ItemBuffer, append_items, pack_items
from storage.frontier.records import EarlierCapture, FetchResult, Lease
from storage.index.rows import CaptureRow, write_index
from storage.objects.store import ObjectStore
from storage.warc.writer import WITHHELD, ClosedSegment, RefersTo, SegmentWriter

MAX_SEGMENT_BYTES = 64 * 1024 * 1024
MAX_SEGMENT_SECONDS = 60.0
WARC_SUFFIX = ".warc.gz"
JOURNAL_SUFFIX = ".journal"
LOCAL_SUFFIXES = (WARC_SUFFIX, JOURNAL_SUFFIX, ITEMS_SUFFIX, PACKED_SUFFIX, PROBLEMS_SUFFIX)  # of a segment's files, itself first
SPOOL_TAKEN_OVER = "The spool {folder} was taken over by another process of this worker, or its run was closed. This one ends."


@dataclass(slots=True)
class Batch:
    """What one registering transaction will hold: a segment (None: nothing archived yet), results, and the leases they depend on.

    `item_types` are those that its items file has. `was_tried`: registering it has begun at least once.
    """

    name: str
    opened_at: float
    writer: SegmentWriter | None = None
    results: list[FetchResult] = field(default_factory=list)
    leases: dict[int, Lease] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    item_types: set[ItemType] = field(default_factory=set)
    was_tried: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to register."""
        return self.writer is None and not self.results

    def take_lines(self) -> list[str]:
        """Take the lines that are not in the journal yet. None before the first capture: a journal belongs to a segment."""
        if self.writer is None:
            return []
        lines, self.lines = self.lines, []
        return lines


def spool_folder(settings: Settings, crawl_run: str, worker: str) -> Path:
    """Where a worker keeps what is not registered yet."""
    return settings.home / "spool" / crawl_run / worker


class Spool:
    """The open batch of one worker. `folder` is the worker's own; request headers named in `withheld` are not archived."""

    def __init__(
        self, folder: Path, run: CrawlRun, worker: str, attempt: int, agent: str, withheld: frozenset[bytes] = frozenset()
    ) -> None:
        self.folder = folder
        self._withheld = WITHHELD | withheld
        self._run = run
        self._worker = worker
        self._agent = agent
        self._prefix = f"{worker}-{attempt:03d}-{secrets.token_hex(3)}"
        self._count = 0
        try:
            _make(folder)
        except OSError as error:
            raise StorageError(f"The spool {folder} cannot be made: {error}. Set CRAWLHOUSE_HOME to a writable folder.") from error

    def open(self, now: float) -> Batch:
        """A new batch."""
        self._count += 1
        return Batch(f"{self._prefix}-{self._count:05d}", now)

    def write(self, batch: Batch, capture: Capture, lease: Lease, refers_to: RefersTo | None = None) -> CaptureRow:
        """Archives a capture in a batch. Raises StorageError when the disk is full."""
        if batch.writer is None:
            batch.writer = self._writer(batch.name)
        self._depend_on(batch, lease)
        return batch.writer.write(capture, refers_to)

    def write_rendered(self, batch: Batch, capture: Capture, rendered: Capture, lease: Lease) -> tuple[CaptureRow, CaptureRow]:
        """Archives a page and what a browser made of it. Raises StorageError when the disk is full."""
        if batch.writer is None:
            batch.writer = self._writer(batch.name)
        self._depend_on(batch, lease)
        return batch.writer.write_rendered(capture, rendered)

    def keep_items(self, batch: Batch, row: CaptureRow, items: ItemBuffer) -> None:
        """Write the items of a capture, before the journal says that the capture is complete."""
        if not items.is_empty:
            self._check_own(self.folder)
            append_items(self.path(batch.name, ITEMS_SUFFIX), row, items, batch.item_types)

    def add_result(self, batch: Batch, lease: Lease, result: FetchResult | None, row: CaptureRow | None) -> None:
        """Add the result of a URL (None: nothing final yet), and its capture."""
        self._depend_on(batch, lease)
        if result is not None:
            batch.results.append(result)
        batch.lines.append(result_line(result, row))

    def journal(self, batch: Batch, lines: list[str]) -> None:
        """Append lines to a batch's journal. Call it when the URLs found by those captures are in the frontier.

        Raises FencedError when the folder is gone: others took over what was in it, or closed the run, while this worker slept.
        """
        if lines:
            try:
                with self.path(batch.name, JOURNAL_SUFFIX).open("a", encoding="utf-8") as file:
                    file.write("\n".join(lines) + "\n")
            except FileNotFoundError as error:
                raise FencedError(SPOOL_TAKEN_OVER.format(folder=self.folder)) from error

    def upload(self, batch: Batch, store: ObjectStore) -> Segment | None:
        """Close the batch's segment, and put it and its index into the store. None if it has no segment.

        Raises FencedError when the segment is gone, also while it was closed: this worker may sleep at any line.
        """
        if batch.writer is None:
            return None
        self._check_own(self.path(batch.name))
        try:
            return upload_segment(self._run, batch.name, batch.writer.close(), store, self.path(batch.name, ITEMS_SUFFIX))
        except FileNotFoundError:
            self._check_own(self.path(batch.name))
            raise

    def remove(self, batch: Batch) -> None:
        """Removes the local files of a registered batch."""
        remove_segment(self.folder, batch.name)

    def path(self, name: str, suffix: str = WARC_SUFFIX) -> Path:
        """A local file of the spool."""
        return self.folder / (name + suffix)

    def _check_own(self, path: Path) -> None:
        """Raise FencedError if a file of this spool is gone."""
        if not path.exists():
            raise FencedError(SPOOL_TAKEN_OVER.format(folder=self.folder))

    def _writer(self, name: str) -> SegmentWriter:
        self._check_own(self.folder)
        info = {
            "software": self._agent,
            "hostname": self._worker,
            "http-header-user-agent": self._agent,
            "robots": self._run.crawl.politeness.robots,
            "spider": self._run.crawl.spider,
            "created": datetime.now(UTC).isoformat(),
        }
        key = segment_key(self._run.crawl.name, self._run.crawl_run, name)
        return SegmentWriter(self.path(name), key, self._run.crawl.name, self._run.crawl_run, info, self._withheld)

    def _depend_on(self, batch: Batch, lease: Lease) -> None:
        if batch.leases.get(lease.host_id) != lease:
            batch.leases[lease.host_id] = lease
            batch.lines.append(json.dumps({"host": lease.host_id, "token": lease.token}))


_RESULT_NAMES = tuple(entry.name for entry in fields(FetchResult))
_EARLIER_NAMES = tuple(entry.name for entry in fields(EarlierCapture))


def result_line(result: FetchResult | None, row: CaptureRow | None) -> str:
    """The journal's line about a URL's result (None: nothing final) and its capture."""
    # The key of a result is `mark`, as in the journals of earlier releases.
    return json.dumps({"offset": row.warc_record_offset if row else None, "mark": _plain(result) if result else None})


def _plain(result: FetchResult) -> dict[str, object]:
    """A result as JSON values. `dataclasses.asdict` makes deep copies, which cost more than the line."""
    values = {name: getattr(result, name) for name in _RESULT_NAMES}
    earlier = result.earlier
    return {**values, "earlier": {name: getattr(earlier, name) for name in _EARLIER_NAMES} if earlier else None}


def upload_segment(run: CrawlRun, name: str, closed: ClosedSegment, store: ObjectStore, items: Path) -> Segment:
    """Puts a closed segment, its capture index and the items that were made of its captures into the store."""
    packed = pack_items(items, closed.rows)
    segment = Segment(
        segment=name,
        warc_key=segment_key(run.crawl.name, run.crawl_run, name),
        index_key=index_key(run.crawl.name, run.crawl_run, name),
        size=closed.size,
        digest=closed.digest,
        records=len(closed.rows),
        items=packed.count,
    )
    store.put_file(segment.warc_key, closed.path)
    store.put_bytes(segment.index_key, write_index(closed.rows))
    if packed.count:
        store.put_file(segment_items_key(run.crawl.name, run.crawl_run, name), packed.path)
    if packed.problems is not None:
        store.put_file(segment_item_problems_key(run.crawl.name, run.crawl_run, name), packed.problems)
    if packed.types.types:
        types = packed.types.model_dump_json(exclude_defaults=True).encode()
        store.put_bytes(segment_item_types_key(run.crawl.name, run.crawl_run, name), types)
    return segment


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileNotFoundError:  # another worker of the run just ended, and removed the run's empty folder
        folder.mkdir(parents=True, exist_ok=True)


def remove_empty(folder: Path) -> None:
    """Removes a worker's folder, and then its run's, unless something is in it."""
    with suppress(OSError):  # not empty, or never made
        folder.rmdir()
        folder.parent.rmdir()


def remove_segment(folder: Path, name: str) -> None:
    """Remove a segment's local files. The segment goes first: a journal without a segment has no effect."""
    for suffix in LOCAL_SUFFIXES:
        (folder / (name + suffix)).unlink(missing_ok=True)


def clear_spool(folder: Path) -> int:
    """Removes all that is in a worker's folder, and the folder; returns how many segments that were."""
    names = {path.name.removesuffix(WARC_SUFFIX) for path in folder.glob("*" + WARC_SUFFIX)}
    for suffix in LOCAL_SUFFIXES:
        for path in folder.glob("*" + suffix):
            path.unlink(missing_ok=True)
    remove_empty(folder)
    return len(names)
