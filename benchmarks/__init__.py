"""Measurements of crawlhouse and of its peers, side by side. `python -m benchmarks PART` runs one part, see `__main__`."""
