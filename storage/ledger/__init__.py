"""The ledger: which crawl runs and process runs exist, which segments are registered, and what is published.

`ledger.open_ledger(settings)` gives the `Ledger`; `history.latest_runs` the last runs of each crawl; `quota.Quota` says when the disk or
the archive is full. Below the frontier, which registers segments here.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "storage.ledger.ledger")
