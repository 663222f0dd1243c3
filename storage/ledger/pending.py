"""Whether there is anything to process, from the ledger alone: nothing that reads or writes the lake is imported for it."""

from __future__ import annotations

from schemas.config.settings import Settings
from schemas.keys import report_key
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store


def is_all_processed(crawl: str, settings: Settings) -> bool:
    """Whether every closed crawl run of a crawl is published, and its last publish has ended with its report.

    Raises UnavailableError, StorageError.
    """
    ledger = open_ledger(settings)
    try:
        return not ledger.closed_unpublished(crawl) and _has_report(ledger.last_published(crawl), settings)
    finally:
        ledger.close()


def _has_report(process_run: str | None, settings: Settings) -> bool:
    """Whether the last publish of a crawl, if any, has its report: the next process that plans writes one that is missing."""
    return process_run is None or open_store(settings).info(report_key(process_run, "report.json")) is not None
