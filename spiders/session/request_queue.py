"""The URLs whose turn has come, on their way from their hosts to the downloader, and the page budget that each of them takes from."""

from __future__ import annotations

import asyncio

from schemas.outcomes import FetchOutcome
from spiders.session.context import FetchContext
from spiders.session.exchange import ExchangeResult
from spiders.session.page_budget import EMPTY_WAIT_SECONDS, PageBudget
from spiders.session.url_in_progress import UrlInProgress


class RequestQueue:
    """Hosts put URLs in, the session takes them out. `in_flight` are the URLs put in whose exchange is not finished."""

    def __init__(self, context: FetchContext) -> None:
        self.budget = PageBudget(context)
        self.in_flight: set[UrlInProgress] = set()
        self._registrar = context.registrar
        self._queue: asyncio.Queue[UrlInProgress | None] = asyncio.Queue()
        self._is_closed = False

    async def take_page(self) -> bool:
        """Take a page of the run's budget. Waits while there is none, as others may release some. False once the queue is closed."""
        while not self._is_closed:
            if not self._registrar.has_many_found() and await self.budget.take():
                return True
            await asyncio.sleep(EMPTY_WAIT_SECONDS)
        return False

    def release_page(self) -> None:
        """Give a page of the budget back that is not fetched."""
        self.budget.release_page()

    def put(self, fetch: UrlInProgress) -> None:
        """Queue a URL for its request."""
        self.in_flight.add(fetch)
        self._queue.put_nowait(fetch)

    async def get(self) -> UrlInProgress | None:
        """Wait for the next URL; None once the queue is closed."""
        return await self._queue.get()

    def close(self) -> None:
        """Nothing more is requested."""
        self._is_closed = True
        self._queue.put_nowait(None)

    def drop(self, fetch: UrlInProgress) -> None:
        """Drop a fetch without a result. The URL stays due."""
        self.in_flight.discard(fetch)

    def finish(self, fetch: UrlInProgress, result: ExchangeResult) -> None:
        """The exchange of a URL is finished. A final result that is not a page gives its page back."""
        self.in_flight.discard(fetch)
        if result.fetch_result is not None and result.fetch_result.outcome is not FetchOutcome.FETCHED:
            self.budget.release_page()
