"""The takedown list of the store, read again and again while a worker fetches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from storage.lake.takedown import Takedowns

READ_SECONDS = 30.0  # a takedown holds for running crawls after half a minute; reading the list is one request to the store


class TakedownWatch:
    """The list as it was read last. `read` reads it from the store."""

    def __init__(self, read: Callable[[], Takedowns]) -> None:
        self._read = read
        self._takedowns = read()

    def covers(self, url: str) -> bool:
        """Whether a URL is taken down."""
        return self._takedowns.covers(url)

    async def follow(self) -> None:
        """Read the list again every READ_SECONDS, until it is cancelled."""
        while True:
            await asyncio.sleep(READ_SECONDS)
            self._takedowns = await asyncio.to_thread(self._read)
