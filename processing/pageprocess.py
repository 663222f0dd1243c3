"""The inside of a page worker: a process that reads items from a pipe, calls one function on each and writes what comes back.

Frames are 8 bytes of length, big-endian, and a pickle. In: a list of items. Out: once, when the function is imported, the most memory in
bytes so far; then one `(reason, value)` an item, in order, flushed at once, so that the parent knows which item a dead or silent process
was at.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import pickle
import resource
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

HEADER_BYTES = 8
RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes in ru_maxrss
_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def serve(function: str, memory_bytes: int) -> None:
    """Serve until the input ends. `function` is `module.name`; memory is what the process may take beyond what it has when ready."""
    _die_with_parent()
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the function prints must not get between the frames
    module, _, name = function.rpartition(".")
    call = getattr(importlib.import_module(module), name)
    gc.freeze()  # what is loaded by now stays
    _limit_memory(memory_bytes)
    write_frame(sink, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT)
    while (items := read_frame(source)) is not None:
        for item in items:
            answer = _answer(call, item)
            try:
                write_frame(sink, answer)
            except (pickle.PicklingError, TypeError, AttributeError, MemoryError, RecursionError) as error:
                write_frame(sink, ("page_crash", f"its result cannot be sent: {type(error).__name__}: {error}"))


def _answer(call: Any, item: Any) -> tuple[str | None, Any]:  # Any: whatever the function takes and returns
    try:
        return None, call(item)
    except MemoryError:
        gc.collect()
        return "page_memory", ""
    except Exception as error:
        return "page_crash", f"{type(error).__name__}: {error}"[:300]


def read_frame(source: BinaryIO) -> Any:
    """The next frame's object, or None at the end."""
    header = source.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES:
        return None
    return pickle.loads(source.read(int.from_bytes(header, "big")))  # noqa: S301 our own parent wrote it


def write_frame(sink: BinaryIO, value: Any) -> None:
    """Write one object and flush."""
    data = pickle.dumps(value, protocol=5)
    sink.write(len(data).to_bytes(HEADER_BYTES, "big"))
    sink.write(data)
    sink.flush()


def _limit_memory(memory_bytes: int) -> None:
    """Bound the address space: allocations beyond fail, in C as in Python. Nothing where the system cannot (macOS)."""
    try:
        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except OSError:
        used = 0
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (used + memory_bytes, used + memory_bytes))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _die_with_parent() -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; it ends its workers


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
