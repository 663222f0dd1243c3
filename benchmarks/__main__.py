"""`python -m benchmarks PART [options]`: one part of the measurements; without PART the list of them."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

PARTS = ("crawl", "extraction", "freshness", "frontier", "memory", "politeness", "processing")


def main() -> int:
    """Run the part that the first argument names; the rest of the arguments are the part's own."""
    there = [part for part in PARTS if (Path(__file__).parent / f"{part}.py").exists()]
    if len(sys.argv) < 2 or sys.argv[1] not in there:
        print(f"usage: python -m benchmarks PART, where PART is one of: {', '.join(there)}", file=sys.stderr)
        return 2
    part = sys.argv.pop(1)
    return int(import_module(f"benchmarks.{part}").main() or 0)


if __name__ == "__main__":
    sys.exit(main())
