"""The pace at which one host is asked: its delay, its turns, and how long to leave it alone when it is busy or slow.

Times are seconds of a monotonic clock that the caller reads.
"""

from __future__ import annotations

BUSY = frozenset({429, 503})
MAX_SLOWNESS = 10  # a slow host is left alone as long as it needed to answer, at most so many delays
FIRST_BACK_OFF_SECONDS = 1.0
MAX_BACK_OFF_SECONDS = 300.0
MAX_BUSY_IN_A_ROW = 8


class HostPace:
    """When a host may be asked next. `delay` is kept between the end of an answer and the next request."""

    def __init__(self, delay: float, wait: float, now: float) -> None:
        self.delay = delay
        self.next_turn = now + wait
        self._busy = 0
        self._asked_for = 0.0

    def slow_down(self, delay: float) -> None:
        """The host asks for so many seconds between requests: the longer of its and ours holds."""
        self.delay = max(self.delay, delay)

    def started(self, now: float) -> None:
        """A request goes out."""
        self.next_turn = max(self.next_turn, now + self.delay)

    def ended(self, now: float, latency: float) -> None:
        """A request came to its end after so many seconds: a host that needs long is left alone for as long."""
        if self.delay:
            self.next_turn = max(self.next_turn, now + max(self.delay, min(latency, MAX_SLOWNESS * self.delay)))

    def wait(self, now: float, seconds: float) -> None:
        """The host is not asked for so many seconds."""
        self.next_turn = max(self.next_turn, now + seconds)

    def return_turn(self, turn: float) -> None:
        """A turn was taken, but the host was not asked: the turn is the next one again."""
        self.next_turn = turn

    def answered(self, now: float, status: int, retry_after: float) -> None:
        """The host answered; when it is too busy, it is left alone for as long as it asks, and longer each time that it says so again."""
        self._asked_for = retry_after
        if status not in BUSY:
            self._busy = 0
            return
        self._busy += 1
        back_off = max(FIRST_BACK_OFF_SECONDS, self.delay) * 2.0 ** (self._busy - 1)
        self.next_turn = max(self.next_turn, now + max(retry_after, min(back_off, MAX_BACK_OFF_SECONDS)))

    def is_worth_waiting(self) -> bool:
        """Whether the host said that it is busy, but neither for long nor again and again."""
        return self._busy > 0 and not self.has_given_up()

    def has_given_up(self) -> bool:
        """Whether the rest of the host should be left for another run: it is busy for long, or again and again."""
        return self._busy >= MAX_BUSY_IN_A_ROW or (self._busy > 0 and self._asked_for > MAX_BACK_OFF_SECONDS)
