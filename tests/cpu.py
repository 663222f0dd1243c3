"""CPU seconds of a call, to see how work grows: never wall time, which a loaded machine stretches."""

from __future__ import annotations

import time
from collections.abc import Callable

LEAST_SECONDS = 0.05  # less is noise


def growth(work: Callable[[int], object], size: int, times: int = 4) -> float:
    """How many times as much CPU time `times` the size takes; about `times` where the work is linear, its square where it is quadratic."""
    return _seconds(work, times * size) / max(_seconds(work, size), LEAST_SECONDS)


def _seconds(work: Callable[[int], object], size: int) -> float:
    begun = time.process_time()
    work(size)
    return time.process_time() - begun
