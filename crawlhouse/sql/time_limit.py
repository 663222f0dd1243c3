"""An optional time limit for one DuckDB statement."""

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

SECONDS_BETWEEN_INTERRUPTS = 0.2  # DuckDB ignores an interrupt between two of its steps, so it is repeated
GRACE_SECONDS = 5.0  # after the limit; DuckDB cannot be interrupted during one call of a function on a huge value


class TimeLimit:
    """A limit of `seconds` from now, or no limit for None. Raises ConfigError for a number that is not above zero."""

    def __init__(self, seconds: float | None) -> None:
        if seconds is not None and not 0 < seconds < float("inf"):
            raise ConfigError(f"A time limit is a number of seconds above 0, not {seconds}.")
        self.seconds = seconds
        self._end = time.monotonic() + (seconds or 0)

    @contextmanager
    def interrupting(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Interrupt the connection's statements when the time is over. Raises TimeLimitError then, in place of any other error."""
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
        """Raises TimeLimitError when the time is over."""
        if self.seconds is not None and time.monotonic() >= self._end:
            raise TimeLimitError(_message(self.seconds)) from cause

    def _interrupt(self, connection: duckdb.DuckDBPyConnection, done: Event) -> None:
        wait = self._end - time.monotonic()
        while not done.wait(max(wait, 0)):
            connection.interrupt()
            wait = SECONDS_BETWEEN_INTERRUPTS


@contextmanager
def process_ends_after(seconds: float | None, last_act: Callable[[str], None]) -> Iterator[None]:
    """End this process with the exit code of a time limit, if DuckDB does not stop within `GRACE_SECONDS` after `seconds`.

    Before that, `last_act` is called with the message.
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
