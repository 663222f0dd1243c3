"""Judge rows by expectations: `python -m processing.expectations.suite_process ORDER.json RESULT.json`.

Great Expectations takes hundreds of megabytes before the first row; that memory is free again when this process ends. It is imported only
if there is something to judge, and once for all datasets. The exit code is 0 when the expectations were judged, also when some failed.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.util import LazyLoader, find_spec, module_from_spec
from pathlib import Path
from typing import Any

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
    """Judge every batch of the order and write the results."""
    from processing.expectations.judging import judge_batch

    order, result = (Path(argument) for argument in sys.argv[1:3])
    batches: list[dict[str, Any]] = json.loads(order.read_text(encoding="utf-8"))
    if any(batch["expectations"] for batch in batches):
        for name in LAZY_MODULES:
            import_lazily(name)
    judged = [judge_batch(batch) for batch in batches]
    result.write_text(json.dumps(judged, default=str), encoding="utf-8")


if __name__ == "__main__":
    main()
