"""Measurements of crawlhouse and of its peers, side by side. `python -m benchmarks PART` runs one part, see `__main__`."""

import os

# Before numpy is imported: fits of small models take a fifteenth of the CPU time without threads that wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
