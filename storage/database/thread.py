"""The thread in which a worker's transactions run, so that a slow or locked database does not block the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from storage.outages import wait_out

T = TypeVar("T")
P = ParamSpec("P")


class DatabaseThread:
    """Runs calls one after the other, in the order in which they were made. Their results come back in the same order."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="database")

    async def run(self, call: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """What a call returns or raises. The call is made even if its caller is cancelled meanwhile.

        It must be a transaction that may be repeated: that is done if the database ends the connection.
        """
        future = asyncio.wrap_future(self._executor.submit(wait_out, call, *given, **named))
        future.add_done_callback(_retrieve_exception)
        return await asyncio.shield(future)

    def close(self) -> None:
        """End the thread when its last call is done."""
        self._executor.shutdown(wait=False)


async def run_to_completion(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, even if the caller is cancelled meanwhile; the cancellation is raised after it."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        _retrieve_exception(task)
        raise


def _retrieve_exception(future: asyncio.Future[Any]) -> None:
    """Read the error that no caller waits for any more, so that asyncio does not log it."""
    if not future.cancelled():
        future.exception()
