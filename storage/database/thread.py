"""The one thread in which a worker's transactions run, so that a database that is slow or locked holds up nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


class DatabaseThread:
    """Runs calls one after the other, in the order in which they were made; their results come back in that order too."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="database")

    async def run(self, call: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """What a call returns or raises. It is executed also if its caller is cancelled meanwhile."""
        future = asyncio.wrap_future(self._executor.submit(call, *given, **named))
        future.add_done_callback(_retrieve_exception)
        return await asyncio.shield(future)

    def close(self) -> None:
        """Ends the thread once its last call is done."""
        self._executor.shutdown(wait=False)


async def run_to_completion(work: Coroutine[Any, Any, T]) -> T:
    """Does a piece of work of several steps to its end, also if its caller is cancelled meanwhile; only then is the caller."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        _retrieve_exception(task)
        raise


def _retrieve_exception(future: asyncio.Future[Any]) -> None:
    """An error that nobody waits for any more is no news to asyncio."""
    if not future.cancelled():
        future.exception()
