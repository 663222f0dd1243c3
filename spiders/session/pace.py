"""The pace of requests to one host: its delay, its turns, and how long it is left alone when it is busy or slow.

Times are seconds of a monotonic clock that the caller reads.
"""

from __future__ import annotations

BUSY = frozenset({429, 503})
MAX_SLOWNESS = 10  # delays; a slow host is left alone for as long as it took to respond, up to this. Chosen
FIRST_BACK_OFF_SECONDS = 1.0  # doubles with each busy response
MAX_BACK_OFF_SECONDS = 300.0  # chosen: who asks for more than five minutes is left for another run
MAX_CONSECUTIVE_BUSY = 8  # chosen: with the default delay the waits before add up to two minutes


class HostPace:
    """When a host may be requested next. `delay` is the time between the end of a response and the next request.

    `busy` are the responses in a row until now by which the host said that it is busy.
    """

    def __init__(self, delay: float, wait: float, now: float, busy: int = 0) -> None:
        """`wait` seconds pass before the first request; more if a busy host's owner crashed, who waits longer than for its delay."""
        self.delay = delay
        self.busy = busy
        self.next_turn = now + (max(wait, self._back_off()) if wait and busy else wait)
        self._retry_after = 0.0

    def slow_down(self, delay: float) -> None:
        """The host asks for a delay, in seconds. The longer one of this delay and the crawl's own delay is kept."""
        self.delay = max(self.delay, delay)

    def request_started(self, now: float) -> None:
        """A request is sent."""
        self.next_turn = max(self.next_turn, now + self.delay)

    def request_ended(self, now: float, latency: float) -> None:
        """A request ended after `latency` seconds. A slow host is left alone for as long."""
        if self.delay:
            self.next_turn = max(self.next_turn, now + max(self.delay, min(latency, MAX_SLOWNESS * self.delay)))

    def wait(self, now: float, seconds: float) -> None:
        """Do not request the host for the next `seconds` seconds."""
        self.next_turn = max(self.next_turn, now + seconds)

    def return_turn(self, turn: float) -> None:
        """Give back a turn that was taken without a request to the host."""
        self.next_turn = turn

    def response_received(self, now: float, status: int, retry_after: float) -> None:
        """The host responded. If it says that it is busy, it is left alone for as long as it asks, and longer each time."""
        self._retry_after = retry_after
        if status not in BUSY:
            self.busy = 0
            return
        self.busy += 1
        self.next_turn = max(self.next_turn, now + max(retry_after, self._back_off()))

    def _back_off(self) -> float:
        """Seconds to leave the host alone after the busy responses so far."""
        return float(min(max(FIRST_BACK_OFF_SECONDS, self.delay) * 2.0 ** (self.busy - 1), MAX_BACK_OFF_SECONDS))

    def is_worth_waiting(self) -> bool:
        """Whether the host is busy, but only for a short time."""
        return self.busy > 0 and not self.is_too_busy()

    def is_too_busy(self) -> bool:
        """Whether the rest of the host should be left for another run: it is busy for a long time, or many times in a row."""
        return self.busy >= MAX_CONSECUTIVE_BUSY or (self.busy > 0 and self._retry_after > MAX_BACK_OFF_SECONDS)
