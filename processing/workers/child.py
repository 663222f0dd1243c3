"""The inside of a page worker: a process that reads items from a pipe, calls one function on each and writes what comes back.

In: frames, each the pickle of a list of items. Out: once, when the function is imported, the most memory in bytes so far; then one result
an item, in order, flushed at once, so that the parent knows which item a dead or silent process was at.
"""

from __future__ import annotations

import gc
import pickle
from collections.abc import Callable
from typing import Any

from runtime.child_process import import_name, limit_memory, open_streams, peak_memory
from runtime.frames import read_frame, write_frame
from runtime.results import UNENCODABLE, encode_result


def serve(function: str, memory_bytes: str) -> None:
    """Serve until the input ends. `function` is `module.name`; memory is what the process may take beyond what it has when ready."""
    source, sink = open_streams()
    call = import_name(function)
    gc.freeze()  # what is loaded by now stays
    limit_memory(int(memory_bytes))
    write_frame(sink, encode_result(None, peak_memory()))
    while (frame := read_frame(source)) is not None:
        for item in pickle.loads(frame):  # noqa: S301 our own parent wrote it
            write_frame(sink, _result(call, item))


def _result(call: Callable[[Any], Any], item: Any) -> bytes:  # Any: whatever the function takes and returns
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
