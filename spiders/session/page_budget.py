"""A worker's part of `budgets.max_pages`: it reserves pages in the frontier, some at a time, before it requests them."""

from __future__ import annotations

import asyncio
import time

from spiders.session.context import FetchContext

EMPTY_WAIT_SECONDS = 0.5  # chosen: between two questions to the database for pages


class PageBudget:
    """The pages that a worker has reserved.

    `is_empty`: the last question got none, though other workers may still release some. `is_used_up`: all pages are registered.
    """

    def __init__(self, context: FetchContext) -> None:
        self.is_empty = False
        self.is_used_up = False
        self._frontier = context.frontier
        self._database = context.database
        self._asking = asyncio.Lock()
        self._who = (context.run.crawl_run, context.worker, context.attempt)
        self._limit = context.crawl.budgets.max_pages
        self._held = 0
        self._asked_at = 0.0

    async def take(self) -> bool:
        """Take one page. False if there is none now. Raises FencedError."""
        if not self._held:
            async with self._asking:
                await self._ask()
        if not self._held:
            return False
        self._held -= 1
        return True

    async def _ask(self) -> None:
        if self._held or (self.is_empty and time.monotonic() - self._asked_at < EMPTY_WAIT_SECONDS):  # another host asked meanwhile
            return
        grant = await self._database.run(self._frontier.reserve_pages, *self._who, self._limit)
        self._held, self._asked_at = self._held + grant.granted, time.monotonic()
        self.is_empty, self.is_used_up = not grant.granted, grant.pages >= self._limit

    def release_page(self) -> None:
        """Release a page that was taken and not fetched: another page may be fetched in its place."""
        self._held += 1

    async def release_unused(self) -> None:
        """Release the reserved pages that nobody took, for other workers."""
        if self._held:
            held, self._held = self._held, 0
            await self._database.run(self._frontier.release_pages, *self._who, held)

    async def release_all(self) -> None:
        """Release everything, also pages in flight. Call it when nothing more will be registered."""
        self._held = 0
        await self._database.run(self._frontier.release_pages, *self._who)
