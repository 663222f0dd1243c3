"""What `crawlhouse report` does: write the page of a run or of a crawl as one file."""

from __future__ import annotations

from pathlib import Path

from crawlhouse.output.console import say
from crawlhouse.pages.crawl import render_crawl
from crawlhouse.pages.run import render_run
from crawlhouse.pages.site import Site
from schemas.config.settings import Settings
from schemas.errors import NotFoundError, StorageError
from storage.ledger.ledger import open_ledger


def write_report(settings: Settings, reference: str, output: Path) -> None:
    """Write the page. Raises NotFoundError for what is neither a run nor a crawl, StorageError if the file cannot be written."""
    site = Site(is_file=True)
    page = render_run(settings, site, reference) if _is_run(settings, reference) else render_crawl(settings, site, reference)
    try:
        output.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{output} cannot be written: {error.strerror}.") from error
    say(f"The report of {reference} is in {output}.")


def _is_run(settings: Settings, reference: str) -> bool:
    ledger = open_ledger(settings)
    try:
        ledger.crawl_run(reference)
    except NotFoundError:
        return False
    finally:
        ledger.close()
    return True
