"""A worker's part of `budgets.max_pages`: pages are set aside in the frontier, some at a time, before they are asked for."""

from __future__ import annotations

import asyncio
import time

from storage.database.thread import DatabaseThread
from storage.frontier.frontier import Frontier

DRY_SECONDS = 0.5


class PageBudget:
    """`is_dry`: nothing was left at the last asking, though others may still give back; `is_spent`: all of it is registered."""

    def __init__(self, frontier: Frontier, crawl_run: str, worker: str, number: int, limit: int, database: DatabaseThread) -> None:
        self.is_dry = False
        self.is_spent = False
        self._frontier = frontier
        self._database = database
        self._asking = asyncio.Lock()
        self._who = (crawl_run, worker, number)
        self._limit = limit
        self._held = 0
        self._asked_at = 0.0

    async def take(self) -> bool:
        """Takes one page; False where none is to be had now. Raises FencedError."""
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

    def put_back(self) -> None:
        """A page that was taken came to no fetched page: another may be fetched for it."""
        self._held += 1

    async def give_back(self) -> None:
        """Lets others have what is not needed now."""
        if self._held:
            held, self._held = self._held, 0
            await self._database.run(self._frontier.release_pages, *self._who, held)

    async def end(self) -> None:
        """Gives back everything, also what is under way: call it when nothing more will be registered."""
        self._held = 0
        await self._database.run(self._frontier.release_pages, *self._who)
