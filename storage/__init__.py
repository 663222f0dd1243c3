"""KEEP: everything that outlives a run: object store, WARC, capture index, frontier, ledger, lake."""

from __future__ import annotations

import os

from schemas.moved import keep_former_names

# Arrow reads it when it is loaded. Its own pool keeps what it freed, up to half of a process's memory, where malloc gives it back.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

keep_former_names()
