"""The code inside a child process: it limits itself and ends with its parent."""

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

from runtime.imports import without_collection

RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes in ru_maxrss
_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def run(entry: str, *arguments: str) -> None:
    """Call `module.function` with the arguments. A started child begins here."""
    die_with_parent()
    with without_collection():
        call = import_name(entry)
    call(*arguments)


def import_name(name: str) -> Any:  # Any: whatever has the name
    """Import the object with the name `module.name`. Raises ImportError and AttributeError."""
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def die_with_parent() -> None:
    """End by SIGKILL when the parent ends (Linux only; elsewhere a child ends at the end of its input). Ignore Ctrl-C."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it goes to the whole group; the parent ends its children


def open_streams() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for frames. Everything else that prints then writes to standard error."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return source, sink


def limit_memory(memory_bytes: int) -> None:
    """Limit the address space to this many bytes more than now. Larger allocations fail, in C and in Python. No effect on macOS."""
    try:
        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except OSError:
        used = 0
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (used + memory_bytes, used + memory_bytes))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_cpu(seconds: float) -> None:
    """Limit the CPU time of this process from now on. After these seconds the kernel ends it by SIGPROF. 0 removes the limit."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def peak_memory() -> int:
    """The peak of resident memory of this process, in bytes, as `runtime.child.reap` gives it: also that of the process that started it."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT


def own_peak_memory() -> int:
    """The peak of resident memory of this process alone, in bytes (Linux; elsewhere as `peak_memory`)."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    return peak_memory()
