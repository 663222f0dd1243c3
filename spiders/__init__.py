"""FETCH: web -> WARC segments and their capture index.

`run` plans, fetches and closes a run: `plan`, `fetch`, `close`, or all three by `crawl_once`. `worker` is the process that fetches.
"""

from schemas.moved import keep_former_names

keep_former_names()
