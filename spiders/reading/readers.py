"""Response readers: child processes that read the bodies of responses. The worker's event loop only moves the bytes.

Before: `spiders.session` received a response. After: the reader's reply goes back to the session, which records it.

One reader is enough for ordinary crawls. If responses have to wait, there are two quick readers: one for hosts whose responses were read
quickly before, one for the others. A response that takes more CPU time than usual makes its reader a slow one. There are at most two slow
readers, at a low priority; a new quick reader takes over the other responses. So a harmful response delays others only for a moment.
Each response has a limit of CPU time, which the kernel enforces, of wall time and of memory.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable

from runtime.child import CRASH, MEMORY, TIMEOUT, ChildFailure, memory_detail
from schemas.capture import Capture
from schemas.errors import CrawlhouseError
from schemas.numbers import plural
from schemas.outcomes import Reason
from spiders.download.body_memory_limit import BodyMemory
from spiders.messages.rules import ReadingRules
from spiders.messages.wire import Question, ReaderReply, ReaderTask
from spiders.reading.journal import ReadingJournal
from spiders.reading.reader import PendingQuestion, Reader, ReadFailure, ReadLimits
from storage.urls.host_key import canonical_host

QUICK_SECONDS = 0.15  # chosen: CPU time after which a response counts as slow; ordinary pages take a few milliseconds
WATCH_SECONDS = 0.1
LONGEST_STEP_SECONDS = 5.0  # one check counts at most so much wall time: worker and readers may have been stopped meanwhile
SUSPECT_SECONDS = 0.5  # chosen: if a worker crashes earlier during a reading, the page is not taken for the cause
START_SECONDS = 120.0
MAX_FAILED_STARTS = 3
MAX_QUICK_READERS = 2
MAX_SLOW_READERS = 2
DISPATCH_SECONDS = 0.004  # responses that arrive together are sent together, which saves both sides half of their system calls
MAX_QUEUE_SECONDS = 0.25  # chosen: a response that waits longer gets a second quick reader started
MAX_QUICK_HOSTS = 10_000
MAX_IDLE_BYTES = 96 * 1024 * 1024  # chosen: an idle reader that has grown larger is replaced
LIMITS = ReadLimits()
GZIP_MAGIC = b"\x1f\x8b\x08"


class ResponseReaders:
    """The readers of one worker, started when they are needed.

    `error` says why no reader can be started; None while they can. While `has_to_wait()` is true, no reader gets a question; call `resume`
    when it is false again.
    """

    def __init__(
        self,
        rules: ReadingRules,
        journal: ReadingJournal,
        body_memory: BodyMemory,
        limits: ReadLimits = LIMITS,
        *,
        has_to_wait: Callable[[], bool] = lambda: False,
    ) -> None:
        self.error: CrawlhouseError | None = None
        self.journal = journal
        self._rules, self._body_memory, self._limits, self._has_to_wait = rules, body_memory, limits, has_to_wait
        self._readers: list[Reader] = []
        self._quick_hosts: set[str] = set()  # hosts whose last response was quick
        self._quick_queue: deque[PendingQuestion] = deque()
        self._unknown_queue: deque[PendingQuestion] = deque()  # of hosts that are neither quick nor slow yet
        self._slow_queue: deque[PendingQuestion] = deque()
        self._slow_hosts: Counter[str] = Counter()  # slow responses in a row
        self._count = self._failed_starts = 0
        self._is_woken = self._is_watching = self._is_closed = False
        self._watched, self._looked_at = 0.0, time.monotonic()

    def read(self, question: Question, body: bytes, on_result: Callable[[ReaderReply | ReadFailure], None]) -> None:
        """Have a body read. `on_result` is called with the result in the event loop, unless the readers are closed before."""
        self._count += 1
        waiting = PendingQuestion(self._count, question, body, on_result, _host(question.url), time.monotonic())
        self._body_memory.add_existing(len(body))
        self._queue_of(waiting.host).append(waiting)
        self._wake()

    async def ask(self, question: Question, body: bytes) -> ReaderReply | ReadFailure:
        """Have a body read, and wait for the result."""
        future: asyncio.Future[ReaderReply | ReadFailure] = asyncio.get_running_loop().create_future()
        self.read(question, body, lambda reply: None if future.done() else future.set_result(reply))
        return await future

    async def decoded(self, capture: Capture, limit: int, url_id: int = 0) -> bytes | ReadFailure:
        """The body of a capture without its content coding, at most `limit` bytes. Empty if it cannot be decoded."""
        coding = capture.joined_header("content-encoding")
        if not coding and not capture.body.startswith(GZIP_MAGIC):
            return capture.body[:limit]
        reply = await self.ask(Question(ReaderTask.DECODE, url_id, capture.url, coding=coding), capture.body)
        return reply if isinstance(reply, ReadFailure) else (reply.body or b"")[:limit]

    def resume(self) -> None:
        """Go on after `has_to_wait()` was true."""
        if self._quick_queue or self._unknown_queue or self._slow_queue:
            self._wake()

    def close(self) -> None:
        """Kill all readers, and drop all questions."""
        self._is_closed = True
        for reader in self._readers:
            reader.close()
        self._readers.clear()
        for queue in (self._quick_queue, self._unknown_queue, self._slow_queue):
            queue.clear()

    def became_ready(self, reader: Reader) -> None:
        """A reader is ready."""
        self._failed_starts = 0
        self._wake()

    def replied(self, reader: Reader, waiting: PendingQuestion, reply: ReaderReply) -> None:
        """A reader gave a reply."""
        if not reader.is_slow or reader.cpu_of_last() < QUICK_SECONDS:
            self._was_quick(waiting.host)
        if reply.failure == MEMORY:
            self._finish(waiting, ReadFailure(Reason.PAGE_MEMORY, memory_detail(self._limits.memory_bytes)))
            self._end_reader(reader, None, ChildFailure(MEMORY, ""))  # its memory is fragmented
            return
        self._finish(waiting, reply if reply.failure is None else ReadFailure(Reason.PAGE_CRASH, reply.detail))
        if reader.is_leaving and not reader.questions:
            self._remove(reader)
        self._wake()

    def ended(self, reader: Reader, cause: ChildFailure) -> None:
        """A reader ended by itself: because of a limit, a crash, or a kill."""
        if not reader.is_ready:
            self._not_started(cause.detail)
        waiting, _, _ = reader.current_question(self._watched)
        if waiting is None and reader.questions and reader.is_ready:  # it crashed between two questions: any of them may be the cause
            waiting = reader.questions[0] if reader.questions[0].crashes else None
            for one in reader.questions:
                one.crashes += 1
        self._end_reader(reader, waiting, cause)

    def _not_started(self, detail: str) -> None:
        """A reader did not start. After MAX_FAILED_STARTS in a row, no more are tried."""
        self._failed_starts += 1
        if self._failed_starts > MAX_FAILED_STARTS:
            self.error = CrawlhouseError(f"No response reader can be started: {detail}. Their error is in the worker's log.")

    def _queue_of(self, host: str) -> deque[PendingQuestion]:
        return self._slow_queue if host in self._slow_hosts else self._quick_queue if host in self._quick_hosts else self._unknown_queue

    def _was_quick(self, host: str) -> None:
        self._slow_hosts.pop(host, None)
        if len(self._quick_hosts) >= MAX_QUICK_HOSTS:
            self._quick_hosts.clear()
        self._quick_hosts.add(host)

    def _was_slow(self, host: str) -> None:
        self._slow_hosts[host] += 1
        self._quick_hosts.discard(host)

    def _requeue(self, waiting: list[PendingQuestion]) -> None:
        """Put questions that a reader did not begin at the front of their queues."""
        for one in reversed(waiting):
            self._queue_of(one.host).appendleft(one)

    def _end_reader(self, reader: Reader, waiting: PendingQuestion | None, cause: ChildFailure, stood_still: bool = False) -> None:
        """Kill a reader. The response that it was reading fails, or is tried once more after a crash. The others go to another reader.

        A reader that used no CPU time was stopped from outside, so it counts as crashed: reading always takes CPU time.
        """
        others = [one for one in reader.questions if one is not waiting]
        self._remove(reader)
        self._requeue(others)
        if waiting is not None:
            if (cause.reason == CRASH or stood_still) and not waiting.crashes:  # the reader may have been killed for another reason
                waiting.crashes += 1
                self._slow_queue.append(waiting)
            else:
                self._was_slow(waiting.host)
                self._finish(waiting, ReadFailure(Reason(cause.reason), cause.detail))
        self._wake()

    def _finish(self, waiting: PendingQuestion, result: ReaderReply | ReadFailure) -> None:
        self._body_memory.release(len(waiting.body))
        waiting.on_result(result)

    def _remove(self, reader: Reader) -> None:
        reader.close()
        if reader in self._readers:
            self._readers.remove(reader)

    def _wake(self) -> None:
        if not self._is_woken and not self._is_closed:
            self._is_woken = True
            asyncio.get_running_loop().call_later(DISPATCH_SECONDS, self._dispatch)

    def _dispatch(self) -> None:
        """Send questions to readers that have capacity, and start readers if there are too few."""
        self._is_woken = False
        if self._is_closed or self._has_to_wait():
            return
        quick = [reader for reader in self._readers if not reader.is_slow and not reader.is_leaving]
        for place, reader in enumerate(quick):
            self._send_to(reader, is_first=place == 0, is_alone=len(quick) == 1)
        try:
            if (self._quick_queue or self._unknown_queue) and (not quick or (len(quick) < MAX_QUICK_READERS and self._is_late())):
                self._start()
                self._wake()
            self._dispatch_slow()
        except OSError as error:
            self.error = CrawlhouseError(f"No response reader can be started: {error}. The machine is short of memory or processes.")
        self._watch_soon()

    def _send_to(self, reader: Reader, *, is_first: bool, is_alone: bool) -> None:
        """Send a quick reader what it has capacity for. Of two readers, the first serves only quick hosts: they wait for no others."""
        queues = (
            (self._quick_queue, self._unknown_queue)
            if is_alone
            else (self._quick_queue,)
            if is_first
            else (self._unknown_queue, self._quick_queue)
        )
        for queue in queues:
            while queue and reader.has_capacity():
                reader.send(queue.popleft())
        reader.flush()

    def _is_late(self) -> bool:
        """Whether a response has waited for MAX_QUEUE_SECONDS while all readers are ready and busy."""
        since = min(queue[0].since for queue in (self._quick_queue, self._unknown_queue) if queue)
        return time.monotonic() - since > MAX_QUEUE_SECONDS and all(reader.is_ready for reader in self._readers)

    def _dispatch_slow(self) -> None:
        """Send each slow reader one question at a time. Hosts with the fewest slow responses go first."""
        slow = [reader for reader in self._readers if reader.is_slow]
        for idle in [reader for reader in slow if not reader.questions and not self._slow_queue]:
            self._remove(idle)
        while self._slow_queue:
            reader = next((one for one in slow if not one.questions and one.has_capacity()), None)
            if reader is None and len(slow) >= MAX_SLOW_READERS:
                return
            if reader is None:
                reader = self._start()
                reader.lower_priority()
                slow.append(reader)
            waiting = min(self._slow_queue, key=lambda one: (self._slow_hosts[one.host], one.number))
            self._slow_queue.remove(waiting)
            reader.send(waiting)
            reader.flush()

    def _start(self) -> Reader:
        reader = Reader(self, self._rules, self._limits, self.journal, self._watched)
        self._readers.append(reader)
        return reader

    def _watch_soon(self) -> None:
        if not self._is_watching and self._readers:
            self._is_watching = True
            asyncio.get_running_loop().call_later(WATCH_SECONDS, self._watch)

    def _watch(self) -> None:
        """Check every reader: is it slow, is it over its time, has it grown?"""
        self._is_watching = False
        if self._is_closed:
            return
        now = time.monotonic()
        self._watched += min(now - self._looked_at, LONGEST_STEP_SECONDS)
        self._looked_at = now
        for reader in list(self._readers):
            self._check_reader(reader)
        if any(reader.questions for reader in self._readers):
            self._dispatch()
            self._watch_soon()

    def _check_reader(self, reader: Reader) -> None:
        if not reader.is_ready:
            if self._watched - reader.started > START_SECONDS:
                self._not_started(f"it was not ready within {START_SECONDS:g} seconds")
                self._end_reader(reader, None, ChildFailure(CRASH, ""))
            return
        waiting, cpu, wall = reader.current_question(self._watched)
        if waiting is not None and wall > SUSPECT_SECONDS:
            reader.suspect()
        if wall > self._limits.wall_seconds:
            self._end_reader(
                reader, waiting, ChildFailure(TIMEOUT, f"more than {plural(self._limits.wall_seconds, 'second')}"), stood_still=True
            )
        elif waiting is not None and cpu > QUICK_SECONDS and not reader.is_slow:
            self._move_slow(reader, waiting)
        elif waiting is None and not reader.is_leaving and reader.memory_bytes() > MAX_IDLE_BYTES:
            reader.retire()
            if not reader.questions:
                self._remove(reader)

    def _move_slow(self, reader: Reader, waiting: PendingQuestion) -> None:
        """A quick reader has a slow response. It becomes a slow reader; if there are enough of those, the response waits for one."""
        if reader.questions[0] is not waiting:  # its reply is already on the way
            return
        self._was_slow(waiting.host)
        others = reader.withdraw_waiting()
        if sum(one.is_slow for one in self._readers) >= MAX_SLOW_READERS:
            self._remove(reader)
            self._slow_queue.append(waiting)
        else:
            reader.lower_priority()
            reader.retire()
        self._requeue(others)
        self._wake()


def _host(url: str) -> str:
    return canonical_host(url) if "//" in url else url
