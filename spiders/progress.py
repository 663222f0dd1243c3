"""The progress of a run in one line: responses and their rate, bytes, hosts, errors."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from schemas.numbers import plural
from storage.frontier.records import MAX_COUNTED_HOSTS, RunState

RATE_SECONDS = 10.0
IDLE_SECONDS = 60.0  # longer than the start of a worker takes


class ProgressLine:
    """Remembers the last RATE_SECONDS, so that the rate is the current one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()
        self._idle_since: float | None = None

    def text(self, state: RunState) -> str:
        """The line for a state."""
        now = self._clock()
        open_hosts = (
            f"{MAX_COUNTED_HOSTS:,} or more open hosts" if state.open_hosts >= MAX_COUNTED_HOSTS else plural(state.open_hosts, "open host")
        )
        errors = f", {plural(state.errors, 'error')}" if state.errors else ""
        return (
            f"{plural(state.responses, 'response')} ({self._rate(now, state.responses):.0f}/s), {state.received / 1e6:,.1f} MB, "
            f"{state.leased_hosts:,} of {open_hosts} in use{self._why_idle(now, state)}{errors}; {plural(state.pages, 'page')} stored"
        )

    def _why_idle(self, now: float, state: RunState) -> str:
        """A host belongs to one worker at a time, of whatever crawl, and may have asked for a pause."""
        if state.leased_hosts or not state.open_hosts:
            self._idle_since = None
            return ""
        self._idle_since = now if self._idle_since is None else self._idle_since
        return " (other runs have them, or they asked for a pause)" if now - self._idle_since >= IDLE_SECONDS else ""

    def _rate(self, now: float, responses: int) -> float:
        self._seen.append((now, responses))
        while len(self._seen) > 2 and now - self._seen[1][0] >= RATE_SECONDS:
            self._seen.popleft()
        since, before = self._seen[0]
        return (responses - before) / (now - since) if now > since else 0.0
