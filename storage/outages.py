"""Short outages of the store and the database: a step waits for their end, with a line in the log, where others fail at once.

`patience` says for how long; it holds for the whole process, because a worker's transactions and uploads run in threads. Without it, and
for errors that waiting does not mend (a wrong address, a wrong password, a full disk), nothing is waited for.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from schemas.config.settings import Settings
from schemas.errors import DatabaseOutageError, OutageError, StoreOutageError

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0  # a third of the time after which a worker renews its leases
ARROW_OUTAGE = re.compile(
    r"AWS Error (?:NETWORK_CONNECTION|INTERNAL_FAILURE|SERVICE_UNAVAILABLE|SLOW_DOWN|REQUEST_TIMEOUT|THROTTLING|UNKNOWN \(HTTP status 5)"
)
MOST_OUTAGES = 3  # of one call: a call that never gets through is not repeated for ever
LOG = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

_limits: Mapping[type[OutageError], float] = {}


@contextmanager
def patience(settings: Settings) -> Iterator[None]:
    """Within it, this process waits for the end of outages, as long as the settings say."""
    global _limits  # noqa: PLW0603 it is the process that waits: see above
    before = _limits
    _limits = {StoreOutageError: settings.store_wait_seconds, DatabaseOutageError: settings.database_wait_seconds}
    try:
        yield
    finally:
        _limits = before


def wait_out(call: Callable[P, T], /, *given: P.args, **named: P.kwargs) -> T:
    """Call something that may be repeated. While it meets an outage, wait and call it again. Raises the last OutageError."""
    outages, failed_at, deadline = 0, 0.0, 0.0
    while True:
        begun = time.monotonic()
        try:
            result = call(*given, **named)
        except (OutageError, OSError) as raised:
            error = raised if isinstance(raised, OutageError) else store_outage(raised)
            if error is None:
                raise
            limit, now = _limits.get(type(error), 0.0), time.monotonic()
            if not outages or now - begun > limit:  # it worked for a while: another outage
                outages, failed_at, deadline, pause = outages + 1, now, now + limit, FIRST_PAUSE_SECONDS
                if limit and not error.was_waited_for:
                    LOG.warning("%s Waiting for it, up to %.0f s.", error, limit)
            if now >= deadline or error.was_waited_for or outages > MOST_OUTAGES:
                error.was_waited_for = True
                raise error from error.__cause__
            time.sleep(min(pause, max(deadline - now, 0.0)))
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        else:
            if outages:
                LOG.warning("The outage is over after %.0f s.", time.monotonic() - failed_at)
            return result


def store_outage(error: OSError) -> StoreOutageError | None:
    """The outage of an S3 store that Arrow met, which reads and writes the tables' files; None for an error that waiting does not mend."""
    if not ARROW_OUTAGE.search(str(error)):
        return None
    outage = StoreOutageError(f"The store of the tables does not answer: {error}.")
    outage.__cause__ = error
    return outage


def waits(method: Callable[P, T]) -> Callable[P, T]:
    """A method that waits for the end of an outage. It must be one that may be repeated."""

    @wraps(method)
    def waiting(*given: P.args, **named: P.kwargs) -> T:
        return wait_out(method, *given, **named)

    return waiting
