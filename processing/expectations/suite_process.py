"""The process that judges rows by expectations: `python -m processing.expectations.suite_process`.

Its input is frames, each with the paths of an order and of its result as JSON; it answers each with an empty frame, and ends with its
input. Great Expectations takes hundreds of megabytes before the first row; that memory is free again when this process ends. It is imported
only if there is something to judge, once for all datasets and orders, and of its expectations those that are asked for.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

from runtime.child_process import die_with_parent, open_streams
from runtime.frames import read_frame, write_frame
from runtime.imports import without_collection


def main() -> None:
    """Judge every batch of each order and write the results."""
    die_with_parent()
    serve(*open_streams())
    sys.stdout.flush()
    os._exit(0)  # taking all apart that was imported would take a tenth of the time


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """The same for orders from a stream, until it ends."""
    while (frame := read_frame(source)) is not None:
        order, result = (Path(path) for path in json.loads(frame))
        _judge(order, result)
        write_frame(sink, b"")


def _judge(order: Path, result: Path) -> None:
    from processing.expectations.lean_import import import_great_expectations

    batches: list[dict[str, Any]] = json.loads(order.read_text(encoding="utf-8"))
    with without_collection():
        if types := {expectation["type"] for batch in batches for expectation in batch["expectations"]}:
            import_great_expectations(types)
        from processing.expectations.judging import judge_batch
    gc.freeze()  # what is imported stays: the collector need not look at it again
    judged = [judge_batch(batch) for batch in batches]
    result.write_text(json.dumps(judged, default=str), encoding="utf-8")


if __name__ == "__main__":
    main()
