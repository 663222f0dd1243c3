"""`python -m benchmarks [PART [options]]`: runs one part of the measurements, or all of them one after the other."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

PARTS = (
    "crawl",
    "datasets",
    "duplicates",
    "extraction",
    "freshness",
    "frontier",
    "hostile",
    "lake",
    "lake_size",
    "memory",
    "pages",
    "politeness",
    "processing",
    "sharing",
    "small_runs",
    "trace",
)


def main() -> int:
    """Run the part that the first argument names. The other arguments are the part's own."""
    if len(sys.argv) < 2:
        return run_all()
    if sys.argv[1] not in PARTS:
        print(f"usage: python -m benchmarks [PART [options]], where PART is one of: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    part = sys.argv.pop(1)
    return int(import_module(f"benchmarks.{part}").main() or 0)


def run_all() -> int:
    """Run each part in its own process, so that no part inherits another's memory. Returns 1 if a part failed or could not run."""
    print(f"{', '.join(PARTS)}: together about an hour and a half on two cores; keep the machine quiet meanwhile.", flush=True)
    failed = [part for part in PARTS if not _runs(part)]
    print(f"\nFailed or not run: {', '.join(failed)}" if failed else "\nAll parts ran.")
    return int(bool(failed))


def _runs(part: str) -> bool:
    print(f"\n{part}\n", flush=True)
    return subprocess.run([sys.executable, "-m", "benchmarks", part], check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
