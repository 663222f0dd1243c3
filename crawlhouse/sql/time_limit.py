"""A time limit for one DuckDB statement, for those who ask for one."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread, Timer
from typing import TYPE_CHECKING

from schemas.errors import ConfigError, TimeLimitError

if TYPE_CHECKING:
    import duckdb

SECONDS_BETWEEN_INTERRUPTS = 0.2  # one that comes while DuckDB is between two steps is lost, so it is repeated
GRACE_SECONDS = 5.0  # DuckDB cannot be interrupted inside one call of a function on a huge value


class TimeLimit:
    """So many seconds from now; without a number, no limit. Raises ConfigError for a number that is not above zero."""

    def __init__(self, seconds: float | None) -> None:
        if seconds is not None and not 0 < seconds < float("inf"):
            raise ConfigError(f"A time limit is a number of seconds above 0, not {seconds}.")
        self.seconds = seconds
        self._end = time.monotonic() + (seconds or 0)

    @contextmanager
    def interrupting(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Interrupt what runs on the connection meanwhile once the time is over. Raises TimeLimitError then, whatever else was raised."""
        if self.seconds is None:
            yield
            return
        done = Event()
        watcher = Thread(target=self._interrupt, args=(connection, done), daemon=True, name="time-limit")
        watcher.start()
        try:
            yield
        except Exception as error:
            self.check(error)
            raise
        finally:
            done.set()
            watcher.join()
        self.check()

    def check(self, cause: Exception | None = None) -> None:
        """Raises TimeLimitError once the time is over."""
        if self.seconds is not None and time.monotonic() >= self._end:
            raise TimeLimitError(_message(self.seconds)) from cause

    def _interrupt(self, connection: duckdb.DuckDBPyConnection, done: Event) -> None:
        wait = self._end - time.monotonic()
        while not done.wait(max(wait, 0)):
            connection.interrupt()
            wait = SECONDS_BETWEEN_INTERRUPTS


@contextmanager
def process_ends_after(seconds: float | None, last_act: Callable[[str], None]) -> Iterator[None]:
    """End this process, with the exit code of a time limit, where DuckDB does not answer within `GRACE_SECONDS` after `seconds`.

    `last_act` is called with the message before.
    """
    if seconds is None:
        yield
        return

    def end() -> None:
        last_act(_message(seconds))
        os._exit(TimeLimitError.exit_code)

    timer = Timer(seconds + GRACE_SECONDS, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _message(seconds: float) -> str:
    return f"The query took longer than its limit of {seconds:g} s and was ended. Select less, or give it more time."
