"""The ledger: which crawl runs and process runs exist, which segments are registered, and what is published.

In: planned runs, manifests, commits. Out: the same, and what is to be processed next.
Others call `ledger.open_ledger(settings)`, `history.latest_runs` (the last runs of each crawl) and `quota.Quota` (whether the disk or the
archive is full). The frontier is above it and registers segments here.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "storage.ledger.ledger")
