"""Which crawl runs a user means by a name."""

from __future__ import annotations

from schemas.errors import NotFoundError
from storage.ledger.ledger import Ledger


def runs_of(ledger: Ledger, reference: str) -> list[str]:
    """The run with this name, or all runs of the crawl with this name. Raises NotFoundError."""
    runs = [run.crawl_run for run in ledger.crawl_runs() if reference in {run.crawl_run, run.crawl.name}]
    if not runs:
        raise NotFoundError(f"There is no crawl run and no crawl {reference!r}. `crawlhouse frontier list` shows the crawls.")
    return runs
