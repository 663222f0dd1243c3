"""A worker's part of `budgets.max_pages`: pages are set aside in the frontier, some at a time, before they are asked for."""

from __future__ import annotations

import time

from storage.frontier import Frontier

DRY_SECONDS = 0.5


class PageBudget:
    """`is_dry`: nothing was left at the last asking, though others may still give back; `is_spent`: all of it is registered."""

    def __init__(self, frontier: Frontier, crawl_run: str, worker: str, number: int, limit: int) -> None:
        self.is_dry = False
        self.is_spent = False
        self._frontier = frontier
        self._who = (crawl_run, worker, number)
        self._limit = limit
        self._held = 0
        self._asked_at = 0.0

    def take(self) -> bool:
        """Takes one page; False where none is to be had now. Raises FencedError."""
        if not self._held and not (self.is_dry and time.monotonic() - self._asked_at < DRY_SECONDS):
            grant = self._frontier.reserve_pages(*self._who, self._limit)
            self._held, self._asked_at = grant.granted, time.monotonic()
            self.is_dry, self.is_spent = not grant.granted, grant.pages >= self._limit
        if not self._held:
            return False
        self._held -= 1
        return True

    def put_back(self) -> None:
        """A page that was taken came to no fetched page: another may be fetched for it."""
        self._held += 1

    def give_back(self) -> None:
        """Lets others have what is not needed now."""
        if self._held:
            self._frontier.free_pages(*self._who, self._held)
            self._held = 0

    def end(self) -> None:
        """Gives back everything, also what is under way: call it when nothing more will be registered."""
        self._held = 0
        self._frontier.free_pages(*self._who)
