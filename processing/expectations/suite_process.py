"""The process that judges rows by expectations: `python -m processing.expectations.suite_process`.

Its input is frames, each with the paths of an order and of its result as JSON; it answers each with an empty frame, and ends with its
input. Great Expectations takes hundreds of megabytes before the first row; that memory is free again when this process ends. It is imported
only if there is something to judge, and once for all datasets and orders.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.util import LazyLoader, find_spec, module_from_spec
from pathlib import Path
from typing import Any

from runtime.child_process import die_with_parent, open_streams
from runtime.frames import read_frame, write_frame

os.environ["GX_ANALYTICS_ENABLED"] = "False"

LAZY_MODULES = ("altair", "scipy.stats")  # a third of the time to start; only few expectations use them


def import_lazily(name: str) -> None:
    """Run a module's code at the first use of one of its names, not when it is imported."""
    spec = None if name in sys.modules else find_spec(name)
    if spec is None or spec.loader is None:
        return
    spec.loader = LazyLoader(spec.loader)
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    package, _, last = name.rpartition(".")
    if package:
        setattr(sys.modules[package], last, module)


def main() -> None:
    """Judge every batch of each order and write the results."""
    die_with_parent()
    source, sink = open_streams()
    while (frame := read_frame(source)) is not None:
        order, result = (Path(path) for path in json.loads(frame))
        _judge(order, result)
        write_frame(sink, b"")


def _judge(order: Path, result: Path) -> None:
    from processing.expectations.judging import judge_batch

    batches: list[dict[str, Any]] = json.loads(order.read_text(encoding="utf-8"))
    if any(batch["expectations"] for batch in batches):
        for name in LAZY_MODULES:
            import_lazily(name)
    judged = [judge_batch(batch) for batch in batches]
    result.write_text(json.dumps(judged, default=str), encoding="utf-8")


if __name__ == "__main__":
    main()
