"""The process of a replay: `python -m spiders.replay.worker --run PROCESS_RUN --statistics FILE --current FILE`.

It goes through the segments of the process run that have no staged items yet. The file `current` names the record whose callback is being
called, so that the parent knows it if this process dies. Statistics are written in any case; they contain the class name of an error.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import scrapy
from scrapy.crawler import AsyncCrawlerProcess

from runtime.scratch import scratch_folder
from schemas.config.settings import Settings, load_settings
from schemas.credentials.redaction import redacted
from schemas.errors import CrawlhouseError, SpiderError
from schemas.items import ItemType, ItemTypes, sorted_types
from schemas.keys import crawl_run_of, replayed_key, segment_item_problems_key, segment_item_types_key, segment_items_key, selection_key
from schemas.manifest import Segment
from schemas.runs import ProcessRun
from spiders.custom.callbacks import Callbacks
from spiders.custom.loader import find_spider
from spiders.download.body_memory_limit import BodyMemory
from spiders.heartbeat import Heartbeat
from spiders.messages.rules import reading_rules
from spiders.reading.journal import ReadingJournal
from spiders.reading.readers import ResponseReaders
from spiders.replay.other_records import keep_other_records
from spiders.replay.responses import StoredResponse, digest_of, read_responses, requested_again
from spiders.replay.session import NoFrontier, ReplayContext, ReplaySession
from spiders.scrapy_settings import scrapy_settings
from spiders.session.url_in_progress import UrlInProgress
from spiders.spool.items import PROBLEMS_SUFFIX, ItemBuffer, append_items, pack_items
from spiders.spool.statistics import WorkerStatistics
from spiders.urls.scope import CrawlScope
from storage.frontier.enqueue import stored_requests
from storage.frontier.records import Lease
from storage.index.items import read_types
from storage.index.rows import CaptureRow, read_index
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store
from storage.objects.store import ObjectStore
from storage.outages import patience

LOG = logging.getLogger(__name__)
NOBODY = Lease(0, "", 0)
MAX_ENDED = 2  # times that the process ended at a record, before the record is left out


@dataclass(slots=True)
class Job:
    """What is to be replayed. `ended_at` are records at which earlier processes ended, each as often as that happened."""

    run: ProcessRun
    settings: Settings
    store: ObjectStore
    statistics: WorkerStatistics
    folder: Path
    current: Path
    heartbeat: Heartbeat
    ended_at: list[str] = field(default_factory=list)
    error: BaseException | None = None

    def segments(self) -> Iterator[Segment]:
        """The segments of the process run whose items are not staged."""
        ledger = open_ledger(self.settings)
        try:
            for crawl_run in self.run.crawl_runs:
                for segment in ledger.manifest(crawl_run).segments:
                    if self.store.info(self.key(segment_items_key(self.run.crawl.name, crawl_run, segment.segment))) is None:
                        yield segment
        finally:
            ledger.close()

    def key(self, key: str) -> str:
        """Where what takes an object's place is staged."""
        return replayed_key(self.run.process_run, key)

    def offsets(self, segment: Segment) -> Collection[int] | None:
        """The records of a segment that are replayed; None for all."""
        if self.run.replacement is None or not self.run.replacement.is_selection:
            return None
        found: dict[str, list[int]] = json.loads(self.store.get_bytes(selection_key(self.run.process_run)))
        return frozenset(found.get(segment.warc_key, ()))


class ReplaySpider(scrapy.Spider):
    """The spider that Scrapy runs. It requests nothing: its start calls the callbacks of the user's spider."""

    name = "replay"

    def __init__(self, job: Job, own: type[scrapy.Spider], **arguments: Any) -> None:
        super().__init__(**arguments)
        self._job, self._own = job, own

    async def start(self) -> AsyncIterator[scrapy.Request]:
        """Replay all segments; there are no requests."""
        self._job.heartbeat.start()
        try:
            await _replay(self._job, self._own, self.crawler)
        except BaseException as error:  # Scrapy would only log it
            self._job.error = error
        return
        yield


async def _replay(job: Job, own: type[scrapy.Spider], crawler: Any) -> None:  # Any: Scrapy's crawler
    crawl = job.run.crawl
    scope = CrawlScope(crawl)
    journal = ReadingJournal(job.folder / "journal")
    readers = ResponseReaders(reading_rules(crawl, scope), journal, BodyMemory())
    session = ReplaySession(ReplayContext(crawl, NoFrontier(job.folder), readers, job.statistics, scope))
    callbacks = Callbacks(own, crawler, session)
    try:
        await callbacks.open()
        segments = list(job.segments())
        again = requested_again(segments, job.store)
        for segment in segments:
            await _replay_segment(job, segment, again, callbacks, session)
        await callbacks.close("finished")
    finally:
        readers.close()
        journal.close()


async def _replay_segment(
    job: Job, segment: Segment, again: Collection[tuple[str, int]], callbacks: Callbacks, session: ReplaySession
) -> None:
    """Stage the items of one segment. The file of items is stored last: then the segment is done."""
    path, written = job.folder / f"{segment.segment}.items", set[ItemType]()
    path.unlink(missing_ok=True)
    rows: list[CaptureRow] = []
    for response in read_responses(
        segment, job.store, job.offsets(segment), again, _requests(job, segment), job.run.crawl.budgets.max_body_bytes
    ):
        items = await _items(job, response, callbacks, session)
        rows.append(response.row)
        if not items.is_empty:
            append_items(path, response.row, items, written)
    job.current.write_text("")
    path.touch()
    packed = pack_items(path, rows)
    crawl, crawl_run = job.run.crawl.name, crawl_run_of(segment.warc_key)
    problems = packed.problems or path.with_suffix(PROBLEMS_SUFFIX)  # it is there, without a line
    if (offsets := job.offsets(segment)) is not None:
        keep_other_records(segment_items_key(crawl, crawl_run, segment.segment), packed.path, offsets, job.store)
        keep_other_records(segment_item_problems_key(crawl, crawl_run, segment.segment), problems, offsets, job.store)
        earlier = read_types(segment_item_types_key(crawl, crawl_run, segment.segment), job.store)
        packed = replace(packed, types=ItemTypes(types=sorted_types((*earlier.types, *packed.types.types))))
    job.store.put_file(job.key(segment_item_problems_key(crawl, crawl_run, segment.segment)), problems)
    types = packed.types.model_dump_json(exclude_defaults=True).encode()
    job.store.put_bytes(job.key(segment_item_types_key(crawl, crawl_run, segment.segment)), types)
    job.store.put_file(job.key(segment_items_key(crawl, crawl_run, segment.segment)), packed.path)
    job.statistics.segments += 1


async def _items(job: Job, response: StoredResponse, callbacks: Callbacks, session: ReplaySession) -> ItemBuffer:
    """What the callback makes of a response."""
    place = f"{response.row.warc_filename} {response.row.warc_record_offset}"
    job.statistics.responses += 1
    if job.ended_at.count(place) >= MAX_ENDED:
        items = ItemBuffer(job.folder)
        items.add_problem("callback", "the process ended twice in the callback")
        return items
    job.current.write_text(place)
    await callbacks.handle_response(UrlInProgress(response.due, NOBODY), response.capture)
    return session.yielded.items


def _requests(job: Job, segment: Segment) -> dict[bytes, str | None]:
    """The requests that the frontier has for the URLs of a segment."""
    digests = set()
    for row in read_index(job.store.get_bytes(segment.index_key)):
        digests.add(digest_of(row.crawl, row.url, row.request_method or "GET", (row.request_body or "").encode()))
    return stored_requests(job.settings, digests)


def main(arguments: list[str] | None = None) -> int:
    """Replay one process run to its end. The exit code is the error's, or 0."""
    parser = argparse.ArgumentParser(prog="python -m spiders.replay.worker", description="Call a spider with stored responses.")
    parser.add_argument("--run", required=True)
    parser.add_argument("--statistics", required=True, type=Path)
    parser.add_argument("--current", required=True, type=Path)
    parser.add_argument("--ended-at", action="append", default=[])
    parser.add_argument("--heartbeat", type=int, help="the descriptor of a pipe on which the parent listens")
    given = parser.parse_args(arguments)
    statistics, code = WorkerStatistics(crawl_run=given.run, worker="replay"), 0
    try:
        settings = load_settings()
        with patience(settings), scratch_folder() as folder:
            _work(given, settings, statistics, folder)
        statistics.finish_reason = "finished"
    except CrawlhouseError as error:
        statistics.error, statistics.message = type(error).__name__, redacted(str(error))
        code = error.exit_code
    statistics.write(given.statistics)
    return code


def _work(given: argparse.Namespace, settings: Settings, statistics: WorkerStatistics, folder: Path) -> None:
    ledger = open_ledger(settings)
    run = ledger.process_run(given.run)
    ledger.close()
    own = find_spider(run.crawl, settings)
    store, heartbeat = open_store(settings), Heartbeat(given.heartbeat)
    job = Job(run, settings, store, statistics, folder, given.current, heartbeat, given.ended_at)
    process = AsyncCrawlerProcess(scrapy_settings(run.crawl, BodyMemory(), None))
    crawler = process.create_crawler(ReplaySpider)
    logging.getLogger("scrapy").setLevel(logging.WARNING)
    process.crawl(crawler, job=job, own=own)
    process.start(install_signal_handlers=False)
    heartbeat.end()
    if isinstance(job.error, CrawlhouseError):
        raise job.error
    if job.error is not None:
        raise SpiderError(f"The spider could not be called: {type(job.error).__name__}: {job.error}.") from job.error


if __name__ == "__main__":
    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)  # on the handler too: Scrapy sets its own loggers to DEBUG
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", handlers=[handler])
    sys.exit(main())
