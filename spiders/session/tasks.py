"""The coroutines of a session. An error in one of them ends the session; it must never leave the worker waiting."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager

from schemas.errors import CrawlhouseError

LOG = logging.getLogger(__name__)


class GuardedTasks:
    """The tasks of a session. `on_error` is called with the error of one that failed."""

    def __init__(self, on_error: Callable[[CrawlhouseError], None]) -> None:
        self._on_error = on_error
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run a coroutine in parallel with the others."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._report(error)

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Report the errors of a block, as those of tasks are reported."""
        try:
            yield
        except Exception as error:  # of whatever kind: reported, and in the log
            self._report(error)

    def _report(self, error: BaseException) -> None:
        """A CrawlhouseError is reported unchanged. Any other error is a defect: its name is reported, and its traceback is logged."""
        if not isinstance(error, CrawlhouseError):
            LOG.error("A defect in the worker", exc_info=error)
            error = CrawlhouseError(f"The worker broke off: {error!r}. What it had fetched stays in its spool.")
        self._on_error(error)

    async def cancel(self) -> None:
        """Cancel all tasks, and wait for their end."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
