"""The state of every crawl: what is wrong with it, since when, and who is told.

In: the ledger, the frontier and the crawl files. Out: `health.read_health` (a `CrawlHealth` for each crawl), `watch.watch_crawl` (notes
what changed and tells the crawl's channels), `summaries.refresh_summaries` (closed runs in numbers, in a table).
"""
