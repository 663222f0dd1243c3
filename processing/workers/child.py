"""The code that runs in a page worker: read items from a pipe, call one function on each, write each result.

In: frames, each a pickled list of items. Out: first, when the function is imported, a frame with the peak memory in bytes; then one result
per item, in order, each flushed at once. So the parent knows which item a crashed or silent process was reading.
"""

from __future__ import annotations

import gc
import io
import os
import pickle
import sys
from collections.abc import Callable
from typing import Any, TextIO

from runtime.child_process import import_name, limit_memory, open_streams, peak_memory
from runtime.child_results import UNENCODABLE, encode_result
from runtime.frames import read_frame, write_frame
from runtime.imports import BLAS_THREADS

# Hardly anything of a page is a cycle. With Python's own thresholds the collector took a twentieth of the time.
GC_THRESHOLDS = (20_000, 20, 50)
MAX_PRINTED_CHARACTERS = 20_000  # by one worker: a user's function may print a line for each row


class BoundedOutput(io.TextIOBase):
    """Passes the beginning of what is printed on to a stream, and says once that the rest is left out."""

    def __init__(self, stream: TextIO, characters: int = MAX_PRINTED_CHARACTERS) -> None:
        self._stream, self._left = stream, characters

    def writable(self) -> bool:
        """Always true."""
        return True

    def write(self, text: str) -> int:
        """Pass on a text as far as there is room for it."""
        if self._left > 0:
            rest = "\n(What this process prints further is left out.)\n" if len(text) > self._left else ""
            self._stream.write(text[: self._left] + rest)
            self._stream.flush()
            self._left -= len(text)
        return len(text)


def serve_pages(function: str, memory_bytes: str) -> None:
    """Serve until the input ends. `function` is `module.name`; `memory_bytes` is the memory that it may use in addition to its imports."""
    source, sink = open_streams()
    sys.stdout = sys.stderr = BoundedOutput(sys.stderr)
    os.environ.setdefault(BLAS_THREADS, "1")  # NumPy's threads would take longer to start than all their work takes
    call = import_name(function)
    gc.freeze()  # imported modules stay: the collector need not look at them again
    gc.enable()  # a process that forked this one may do without
    gc.set_threshold(*GC_THRESHOLDS)
    limit_memory(int(memory_bytes))
    write_frame(sink, encode_result(None, peak_memory()))
    while (frame := read_frame(source)) is not None:
        for item in pickle.loads(frame):  # noqa: S301 the parent process wrote it
            write_frame(sink, _result(call, item))


def _result(call: Callable[[Any], Any], item: Any) -> bytes:  # Any: what the function takes and returns
    try:
        value = call(item)
    except MemoryError:
        gc.collect()
        return encode_result("page_memory", "")
    except Exception as error:
        return encode_result("page_crash", f"{type(error).__name__}: {error}"[:300])
    try:
        return encode_result(None, value)
    except UNENCODABLE as error:
        return encode_result("page_crash", f"its result cannot be sent: {type(error).__name__}: {error}"[:300])
