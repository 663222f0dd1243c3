"""The inside of a child process: how it limits itself, and that it ends with its parent."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes in ru_maxrss
_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def run(entry: str, *arguments: str) -> None:
    """Call `module.function` with texts: what a started child does."""
    die_with_parent()
    import_name(entry)(*arguments)


def import_name(name: str) -> Any:  # Any: whatever has the name
    """What `module.name` names. Raises ImportError and AttributeError."""
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def die_with_parent() -> None:
    """End by SIGKILL when the parent ends (Linux; elsewhere the end of the input must do). What ends the parent's group is the parent's."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; it ends its children


def open_streams() -> tuple[BinaryIO, BinaryIO]:
    """The frames' way in and out: standard input and output. What else is printed goes to standard error."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return source, sink


def limit_memory(memory_bytes: int) -> None:
    """Bound the address space to so many bytes more than now: allocations beyond fail, in C as in Python. macOS cannot."""
    try:
        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except OSError:
        used = 0
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (used + memory_bytes, used + memory_bytes))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_cpu(seconds: float) -> None:
    """From now on this process may take so many seconds of CPU time; then the kernel ends it by SIGPROF, whatever it is at. 0: no limit."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def peak_memory() -> int:
    """The most memory that this process had resident, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT
