"""A worker's part of `budgets.max_pages`: pages are set aside in the frontier, some at a time, before they are asked for."""

from __future__ import annotations

import asyncio
import time

from spiders.session.context import FetchContext

DRY_SECONDS = 0.5


class PageBudget:
    """`is_dry`: nothing was left at the last asking, though others may still give back; `is_spent`: all of it is registered."""

    def __init__(self, context: FetchContext) -> None:
        self.is_dry = False
        self.is_spent = False
        self._frontier = context.frontier
        self._database = context.database
        self._asking = asyncio.Lock()
        self._who = (context.run.crawl_run, context.worker, context.attempt)
        self._limit = context.crawl.budgets.max_pages
        self._held = 0
        self._asked_at = 0.0

    async def take(self) -> bool:
        """Take one page; False where none is to be had now. Raises FencedError."""
        if not self._held:
            async with self._asking:
                await self._ask()
        if not self._held:
            return False
        self._held -= 1
        return True

    async def _ask(self) -> None:
        if self._held or (self.is_dry and time.monotonic() - self._asked_at < DRY_SECONDS):  # others asked meanwhile
            return
        grant = await self._database.run(self._frontier.reserve_pages, *self._who, self._limit)
        self._held, self._asked_at = self._held + grant.granted, time.monotonic()
        self.is_dry, self.is_spent = not grant.granted, grant.pages >= self._limit

    def release_page(self) -> None:
        """A page that was taken was not fetched: another may be fetched in its place."""
        self._held += 1

    async def release_unused(self) -> None:
        """Let other workers have the pages that are not needed now."""
        if self._held:
            held, self._held = self._held, 0
            await self._database.run(self._frontier.free_pages, *self._who, held)

    async def release_all(self) -> None:
        """Release everything, also what is in flight: call it when nothing more will be registered."""
        self._held = 0
        await self._database.run(self._frontier.free_pages, *self._who)
