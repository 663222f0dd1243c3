"""KEEP: everything that outlives a run: object store, WARC, capture index, frontier, ledger, lake.

In: captures and results of URLs from `spiders`, rows from `processing`. Out: URLs to fetch, WARC records, published rows. `upgrade` brings
what an earlier release wrote to the version of this one.
"""

from __future__ import annotations

import os

from schemas.moved import keep_former_names

# Arrow reads it when it is imported. Arrow's own pool keeps freed memory, up to half of a process's memory; malloc gives it back.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

keep_former_names()
