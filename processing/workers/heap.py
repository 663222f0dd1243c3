"""The C heap of a processing process: what was freed goes back to the system, so that one stage's peak is not the next one's floor."""

from __future__ import annotations

import ctypes
from functools import cache

import pyarrow as pa

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # parameters of glibc's mallopt(3)
ARENAS = 2
MMAP_BYTES = 256 * 1024  # larger blocks are the system's again as soon as they are freed


@cache
def bound_heap() -> None:
    """Bound what freed memory this process keeps: few arenas, large blocks apart. Once per process; nothing where there is no glibc."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    for parameter, value in ((_ARENA_MAX, ARENAS), (_MMAP_THRESHOLD, MMAP_BYTES), (_TRIM_THRESHOLD, MMAP_BYTES)):
        mallopt(parameter, value)


def trim_heap() -> None:
    """Give free memory back to the system."""
    pa.system_memory_pool().release_unused()
