"""KEEP: everything that outlives a run: object store, WARC, capture index, frontier, ledger, lake."""
