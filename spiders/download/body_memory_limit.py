"""Limits the memory for response bodies in a worker: those that are being received and those that wait for a reader."""

from __future__ import annotations

import asyncio
from collections import deque

MIB = 1024 * 1024
BODY_MEMORY_BYTES = 64 * MIB  # of one worker: four bodies of the default budgets.max_body_bytes
LARGE_BYTES = 1 * MIB  # smaller bodies reserve nothing while they are received


class BodyMemory:
    """A number of bytes to share. A large body waits until there is memory for it; bodies that wait for a reader are only counted."""

    def __init__(self, limit: int = BODY_MEMORY_BYTES) -> None:
        self._limit = limit
        self._used = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    def add_existing(self, size: int) -> None:
        """Count bytes that are in memory already."""
        self._used += size

    def release(self, size: int) -> None:
        """Give bytes back. They go to the bodies that wait, in order."""
        self._used -= size
        while self._waiting and self._fits(self._waiting[0][0]):
            size, future = self._waiting.popleft()
            if not future.done():
                self._used += size
                future.set_result(None)

    async def acquire(self, size: int) -> None:
        """Wait for memory and reserve it. A body larger than the whole limit gets it all."""
        if not self._waiting and self._fits(size):
            self._used += size
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, future))
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.release(size)
            raise

    def _fits(self, size: int) -> bool:
        return not self._used or self._used + size <= self._limit
