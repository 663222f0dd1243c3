"""CPU seconds of a call, to see how work grows: never wall time, which a loaded machine stretches."""

from __future__ import annotations

import time
from collections.abc import Callable

LEAST_SECONDS = 0.05  # less is noise
ATTEMPTS = 3


def growth(work: Callable[[int], object], size: int, times: int = 4) -> float:
    """How many times as much CPU time `times` the size takes; about `times` where the work is linear, its square where it is quadratic.

    What looks like more than linear is measured again: a busy machine takes more CPU time too, through its caches.
    """
    grown = seconds_of(work, times * size) / max(seconds_of(work, size), LEAST_SECONDS)
    for _ in range(ATTEMPTS - 1):
        if grown > 2 * times:
            grown = min(grown, seconds_of(work, times * size) / max(seconds_of(work, size), LEAST_SECONDS))
    return grown


def seconds_of(work: Callable[[int], object], size: int) -> float:
    """CPU seconds of a call."""
    begun = time.process_time()
    work(size)
    return time.process_time() - begun
