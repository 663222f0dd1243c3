"""UNDERSTAND: turn the WARC segments of closed crawl runs into clean, deduplicated, validated rows of the lake.

In: the manifests of crawl runs, their segments and capture indexes. Out: rows of `articles`, `captures`, `quarantine` and `runs`.
`processing.stages` has the stages, for the command, Airflow and tests. `processing.files` extracts any WARC files without a lake.
"""

from __future__ import annotations

import os

from schemas.moved import keep_former_names

# Arrow reads this variable when it is loaded. Arrow's own pool keeps freed memory, up to half of a process's memory; malloc returns it.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

keep_former_names()
