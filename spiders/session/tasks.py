"""The coroutines of a session. An error in one of them ends the session; it must never leave the worker waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager

from schemas.errors import CrawlhouseError


class GuardedTasks:
    """The tasks of a session. `on_error` is called with the error of one that failed."""

    def __init__(self, on_error: Callable[[CrawlhouseError], None]) -> None:
        self._on_error = on_error
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run a coroutine beside the others."""
        task = asyncio.create_task(self.run(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def run(self, work: Coroutine[None, None, None]) -> None:
        """Run a coroutine here. A CrawlhouseError is reported, and not raised."""
        with self.guarded():
            await work

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Report a CrawlhouseError. Any other error is a defect: report it by its name, and raise it."""
        try:
            yield
        except CrawlhouseError as error:
            self._on_error(error)
        except Exception as error:
            self._on_error(CrawlhouseError(f"The worker broke off: {error!r}. What it had fetched stays in its spool."))
            raise

    async def cancel(self) -> None:
        """Cancel all tasks, and wait for their end."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
