"""Room in memory for large bodies: those that arrive and those that wait to be read, of all hosts of a worker together."""

from __future__ import annotations

import asyncio
from collections import deque

MIB = 1024 * 1024
BODY_MEMORY_BYTES = 64 * MIB
LARGE_BYTES = 1 * MIB  # smaller bodies need no room of their own


class BodyMemory:
    """So many bytes. What waits to be read is counted in any case; a large body that arrives waits until there is room for it."""

    def __init__(self, limit: int = BODY_MEMORY_BYTES) -> None:
        self._limit = limit
        self._used = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    def add_existing(self, size: int) -> None:
        """Counts bytes that are there already."""
        self._used += size

    def release(self, size: int) -> None:
        """These bytes are done with: whoever waits for room may have it."""
        self._used -= size
        while self._waiting and self._fits(self._waiting[0][0]):
            size, future = self._waiting.popleft()
            if not future.done():
                self._used += size
                future.set_result(None)

    async def acquire(self, size: int) -> None:
        """Waits for room for so many bytes and counts them; a body larger than all the room has it alone."""
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
