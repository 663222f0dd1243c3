"""Run a function on items in worker processes with limits per item: a harmful page is lost, but no other page.

Each worker is a new process that gets batches of items through a pipe; not a fork, which is unsafe below Airflow and Celery, unless it was
forked early (`runtime.forked_child`). A worker that takes too long or too much memory is killed. Its current item gets the result
`Exceeded`; the rest of its batch goes to another worker. Results come in the order of the items.
"""

from __future__ import annotations

import os
import pickle
import selectors
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, BinaryIO, TypeVar, cast

from runtime.child import ChildProcess, child_failure, command, cpu_count, memory_detail, reap
from runtime.child_results import ResultDecoder, ResultError
from runtime.forked_child import take
from runtime.frames import FrameBuffer, FrameError, write_frame
from schemas.article import Article
from schemas.errors import ConfigError
from schemas.numbers import plural
from schemas.outcomes import Reason, Rejected
from schemas.page import Page, WarcPointer

Item = TypeVar("Item")

BATCH_ITEMS = 16  # per message to a worker, at most; likewise the next
BATCH_BYTES = 2 * 1024 * 1024
WINDOW_BATCHES = 4  # per worker: how far workers may be ahead of the first item without a result
WINDOW_BYTES = 32 * 1024 * 1024  # of all workers, likewise
PIPE_BYTES = 64 * 1024  # what a pipe of Linux holds; more room would be mapped and unmapped for each result
START_SECONDS = 120.0  # to start a worker and import the function, on a busy machine
ENTRY = "processing.workers.child.serve_pages"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one item: seconds of wall clock, and bytes of memory in addition to those of a new worker."""

    seconds: float = 30.0
    memory_bytes: int = 1024 * 1024 * 1024
    pages_per_worker: int = 5_000


@dataclass(frozen=True, slots=True)
class Exceeded:
    """Why an item has no result: PAGE_TIMEOUT, PAGE_MEMORY or PAGE_CRASH, and one line of detail."""

    reason: Reason
    detail: str

    def rejected(self, pointer: WarcPointer, url: str) -> Rejected:
        """The rejection of the record that the item was made from."""
        return Rejected(url, pointer.warc_filename, pointer.warc_record_offset, "extract", self.reason, self.detail)


def read_pages(
    pages: Iterable[Page], read: str, workers: int | None = None, limits: Limits = Limits()
) -> Iterator[tuple[Page, Article | Rejected]]:
    """Each page with the result of `read` (`module.function`, Page -> Article or Rejected), in order, streaming.

    A page that exceeds the limits is Rejected. `workers` defaults to the CPUs of this process.
    """
    for page, found in run_limited(pages, read, workers, limits, (Article, Rejected)):
        if isinstance(found, Exceeded):
            yield page, found.rejected(page.pointer, page.url)
        else:
            yield page, found


def run_limited(
    items: Iterable[Item], function: str, workers: int | None = None, limits: Limits = Limits(), results: Sequence[type] = ()
) -> Iterator[tuple[Item, Any | Exceeded]]:  # Any: what the named function returns
    """Each item with its result or `Exceeded`, in order.

    Items must pickle. Results are sent as data, never as pickles: dataclasses of the types in `results`, or plain values.
    A few batches per worker are in memory. Raises ConfigError if the function cannot be imported.
    """
    pool = _Pool(function, workers or cpu_count(), limits, ResultDecoder(results))
    try:
        yield from pool.run(iter(items))
    finally:
        pool.close()


@contextmanager
def kept_workers() -> Iterator[None]:
    """Inside this `with` block `run_limited` leaves its idle workers to its next call with the same function, number and limits.

    A worker takes about as long to start as a hundred pages to read. All have ended at the end of the block.
    """
    kept: _Kept = {}
    token = _KEPT.set(kept)
    try:
        yield
    finally:
        _KEPT.reset(token)
        for worker in chain.from_iterable(kept.values()):
            _end(worker)


def first_worker(function: str, limits: Limits = Limits()) -> tuple[str, ...]:
    """What a worker for this function calls, for `runtime.forked_child.forked_early`: the first worker is that child then."""
    return ENTRY, function, str(limits.memory_bytes)


@contextmanager
def limited_call(function: str, limits: Limits, results: Sequence[type] = ()) -> Iterator[Callable[[Any], Any | Exceeded]]:
    """The function as a call with one item, in one worker that stays until the end of the `with` block, or until it is killed.

    Of an item that has `seconds`, these are its limit. Raises ConfigError as `run_limited` does.
    """
    pool = _Pool(function, 1, limits, ResultDecoder(results))

    def call(item: Any) -> Any | Exceeded:  # Any: what the named function takes and returns
        ((_, result),) = pool.run(iter([item]))
        return result

    try:
        yield call
    finally:
        pool.close()


@dataclass(slots=True)
class _Task:
    item: Any
    weight: int
    result: Any = None
    done: bool = False


@dataclass(slots=True, eq=False)
class _Worker:
    process: ChildProcess
    ready: bool = False
    tasks: deque[_Task] = field(default_factory=deque)
    received: FrameBuffer = field(default_factory=FrameBuffer)
    busy_since: float = 0.0
    served: int = 0
    memory_at_start: int = 0


_Kept = dict[tuple[str, int, Limits], list[_Worker]]  # idle ones, by function, number of workers and limits
_KEPT: ContextVar[_Kept | None] = ContextVar("kept", default=None)


class _Pool:
    """The workers and their tasks; a worker works on the first of its tasks."""

    def __init__(self, function: str, size: int, limits: Limits, decoder: ResultDecoder) -> None:
        self._function, self._size, self._limits, self._decoder = function, size, limits, decoder
        self._waiting_batches: deque[deque[_Task]] = deque()
        self._selector = selectors.DefaultSelector()
        self._workers: list[_Worker] = (_KEPT.get() or {}).pop((function, size, limits), [])
        for worker in self._workers:
            self._selector.register(cast("BinaryIO", worker.process.stdout), selectors.EVENT_READ, worker)

    def run(self, items: Iterator[Item]) -> Iterator[tuple[Item, Any]]:
        """Send batches, receive results, yield them in order."""
        waiting: deque[_Task] = deque()
        weight, exhausted = 0, False
        while True:
            window = self._size * WINDOW_BATCHES * BATCH_ITEMS
            while not exhausted and len(waiting) < window and weight < WINDOW_BYTES and self._has_room():
                batch, exhausted = _batch(items)
                waiting.extend(batch)
                weight += sum(task.weight for task in batch)
                if batch:
                    self._assign(deque(batch))
            while waiting and waiting[0].done:
                task = waiting.popleft()
                weight -= task.weight
                yield task.item, task.result
            if not waiting:
                if exhausted:
                    return
                continue
            self._wait()

    def close(self) -> None:
        """Kill all workers and wait for them, but for idle ones that are kept."""
        kept = _KEPT.get()
        if kept is not None:
            idle = [worker for worker in self._workers if worker.ready and not worker.tasks]
            kept.setdefault((self._function, self._size, self._limits), []).extend(idle)
            self._workers = [worker for worker in self._workers if worker not in idle]
        for worker in list(self._workers):
            self._remove(worker)
        self._selector.close()

    def _has_room(self) -> bool:
        return len(self._workers) < self._size or any(worker.ready and not worker.tasks for worker in self._workers)

    def _assign(self, tasks: deque[_Task]) -> None:
        idle = next((worker for worker in self._workers if not worker.tasks), None)
        if idle is None:
            if len(self._workers) >= self._size:
                self._waiting_batches.append(tasks)
                return
            idle = self._start()
        idle.tasks, idle.busy_since = tasks, time.monotonic()
        if idle.ready:
            self._send(idle)

    def _send(self, worker: _Worker) -> None:
        worker.busy_since = time.monotonic()
        try:
            write_frame(cast("BinaryIO", worker.process.stdin), pickle.dumps([task.item for task in worker.tasks], protocol=5))
        except OSError:  # it crashed between two batches: no item of this batch is the cause
            self._replace(worker)

    def _start(self) -> _Worker:
        call = first_worker(self._function, self._limits)
        process = take(*call) or subprocess.Popen(command(*call), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        worker = _Worker(process, busy_since=time.monotonic())
        self._workers.append(worker)
        self._selector.register(cast("BinaryIO", process.stdout), selectors.EVENT_READ, worker)
        return worker

    def _wait(self) -> None:
        """Wait for results; when none comes, fail the items that are over their time."""
        now = time.monotonic()
        busy = [worker.busy_since + self._seconds(worker) for worker in self._workers if worker.tasks]
        events = self._selector.select(max(0.0, min(busy, default=now) - now) + 0.01)
        for key, _ in events:
            self._receive(key.data)
        if events:
            return
        now = time.monotonic()
        for worker in [worker for worker in self._workers if worker.tasks]:
            if now - worker.busy_since > self._seconds(worker):
                self._fail_first(worker, Reason.PAGE_TIMEOUT, f"more than {plural(self._seconds(worker), 'second')}")

    def _seconds(self, worker: _Worker) -> float:
        """How long a worker may be silent, which has a task: the limit of its first one."""
        return getattr(worker.tasks[0].item, "seconds", self._limits.seconds) if worker.ready else START_SECONDS

    def _receive(self, worker: _Worker) -> None:
        data = os.read(cast("BinaryIO", worker.process.stdout).fileno(), PIPE_BYTES)
        if not data:
            self._handle_death(worker)
            return
        worker.received.feed(data)
        worker.busy_since = time.monotonic()
        try:
            while (frame := worker.received.pop()) is not None:
                if not self._handle_frame(worker, frame):
                    return
        except (FrameError, ResultError) as error:  # a page may have taken over its worker
            self._fail_first(worker, Reason.PAGE_CRASH, f"its worker wrote {error}"[:300])
            return
        if not worker.tasks and worker.ready:
            self._assign_next(worker)

    def _handle_frame(self, worker: _Worker, frame: bytes) -> bool:
        """Handle one frame; False when the worker is replaced after it. Raises ResultError."""
        reason, value = self._decoder.decode(frame)
        if not worker.ready:
            worker.ready, worker.memory_at_start = True, int(value)
            if worker.tasks:
                self._send(worker)
            return True
        if not worker.tasks:
            raise ResultError("a result without a task")
        task = worker.tasks.popleft()
        task.done, worker.served = True, worker.served + 1
        task.result = value if reason is None else self._exceeded(_reason(reason), str(value))
        if reason == Reason.PAGE_MEMORY:
            self._replace(worker)  # its heap is fragmented
            return False
        return True

    def _assign_next(self, worker: _Worker) -> None:
        if worker.served >= self._limits.pages_per_worker:
            self._remove(worker)
            if self._waiting_batches:
                self._assign(self._waiting_batches.popleft())
        elif self._waiting_batches:
            self._assign(self._waiting_batches.popleft())

    def _handle_death(self, worker: _Worker) -> None:
        if not worker.ready:
            self.close()
            raise ConfigError(f"A page worker cannot import {self._function!r}; see its error above. Name it as 'module.function'.")
        code, peak = reap(worker.process)
        cause = child_failure(code, peak, worker.memory_at_start, self._limits.memory_bytes)
        self._fail_first(worker, Reason(cause.reason), cause.detail)

    def _fail_first(self, worker: _Worker, reason: Reason, detail: str) -> None:
        """The first task of a worker gets the failure as its result; the others go to another worker."""
        if worker.tasks:
            task = worker.tasks.popleft()
            task.done, task.result = True, Exceeded(reason, detail)
        self._replace(worker)

    def _replace(self, worker: _Worker) -> None:
        rest = worker.tasks
        self._remove(worker)
        if rest:
            self._assign(rest)
        elif self._waiting_batches:
            self._assign(self._waiting_batches.popleft())

    def _remove(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        self._selector.unregister(cast("BinaryIO", worker.process.stdout))
        _end(worker)

    def _exceeded(self, reason: Reason, detail: str) -> Exceeded:
        if reason is Reason.PAGE_MEMORY:
            return Exceeded(reason, memory_detail(self._limits.memory_bytes))
        return Exceeded(reason, detail)


def _end(worker: _Worker) -> None:
    process = worker.process
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        try:
            cast("BinaryIO", pipe).close()
        except OSError:  # bytes that could not be written to a crashed process
            continue


def _batch(items: Iterator[Any]) -> tuple[list[_Task], bool]:
    """The next tasks, bounded in number and bytes, and whether the items have ended."""
    tasks: list[_Task] = []
    size = 0
    for item in items:
        tasks.append(_Task(item, _weight(item)))
        size += tasks[-1].weight
        if len(tasks) == BATCH_ITEMS or size >= BATCH_BYTES:
            return tasks, False
    return tasks, True


def _weight(item: Any) -> int:
    """About how many bytes of memory an item takes: its `weight` if it has one, otherwise the size of its body or text."""
    if (weight := getattr(item, "weight", None)) is not None:
        return int(weight)
    capture = getattr(item, "capture", None)
    return len(capture.body) if capture is not None else len(getattr(item, "html", ""))


def _reason(text: str) -> Reason:
    return Reason(text) if text in {Reason.PAGE_TIMEOUT, Reason.PAGE_MEMORY} else Reason.PAGE_CRASH
