"""Return freed memory of the C heap to the system, so that the peak of one stage does not add to that of the next."""

from __future__ import annotations

import ctypes
from functools import cache

import pyarrow as pa

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # parameters of glibc's mallopt(3)
ARENAS = 2  # each thread may open one, and each keeps freed memory
MMAP_BYTES = 256 * 1024  # larger blocks return to the system as soon as they are freed


@cache
def bound_heap() -> None:
    """Bound the freed memory that this process keeps, once per process. Does nothing without glibc."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    for parameter, value in ((_ARENA_MAX, ARENAS), (_MMAP_THRESHOLD, MMAP_BYTES), (_TRIM_THRESHOLD, MMAP_BYTES)):
        mallopt(parameter, value)


def trim_heap() -> None:
    """Return free memory to the system."""
    pa.system_memory_pool().release_unused()
