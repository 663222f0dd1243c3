"""What small runs cost: `figures` measures, `main` prints."""

from benchmarks.small_runs.figures import main

__all__ = ["main"]
