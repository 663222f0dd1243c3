"""What `crawlhouse process` does: process runs over all closed crawl runs of a crawl that are not published yet, mostly one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from crawlhouse.command_lock import hold_command_lock
from crawlhouse.output.console import progress_line, say, write_json
from crawlhouse.output.row_formats import ReportFormat
from schemas.config.crawl_file import find_crawl
from schemas.config.settings import Settings, make_home
from schemas.errors import GateError, NotFoundError, SpiderError, StorageError
from schemas.outcomes import Outcome, Reason
from storage.ledger.ledger import open_ledger
from storage.ledger.pending import is_all_processed
from storage.outages import patience, wait_out

if TYPE_CHECKING:
    from processing.publish.report import RunReport


def run_process(reference: str, settings: Settings, form: ReportFormat) -> None:
    """Process and publish what was fetched, and print the accounting of each process run.

    Raises StorageError if records of the archive are damaged, GateError if rows are held back, and SpiderError if no page could be read
    for a dataset; all else is published then.
    """
    name = known_name(reference, settings)
    make_home(settings)
    with hold_command_lock(settings, f"process-{name}"), progress_line() as update, patience(settings):
        reports = [] if wait_out(is_all_processed, name, settings) else list(_processed(name, settings, update))
    if not reports:
        say(f"Nothing to process: every closed run of {name} is published. `crawlhouse crawl {name}` {_next_step(name, settings)}.")
    _print_reports(reports, form)
    for check in (raise_if_damaged, raise_if_held, _raise_if_unreadable):
        for report in reports:
            check(report)


def _print_reports(reports: Sequence[RunReport], form: ReportFormat) -> None:
    if form is ReportFormat.JSON:
        for found in [json.loads(report.to_json()) for report in reports] or [None]:
            write_json(found, indent=2)
    elif reports:
        from crawlhouse.output.accounting import show_report

        for report in reports:
            show_report(report)


def _processed(name: str, settings: Settings, update: Callable[[str], None]) -> Iterator[RunReport]:
    """The report of each process run: a large backlog takes several."""
    from processing.stages import process_once  # it takes a second, and most often there is nothing to process

    while (report := wait_out(process_once, name, settings, progress=update)) is not None:
        yield report


def known_name(reference: str, settings: Settings) -> str:
    """The crawl's name. A crawl whose file was removed is still known by its runs. Raises NotFoundError, ConfigError."""
    try:
        return find_crawl(reference, settings.crawls).name
    except NotFoundError:
        if open_ledger(settings).crawl_runs(reference):
            return reference
        raise


def _next_step(name: str, settings: Settings) -> str:
    unclosed = open_ledger(settings).unclosed_runs(name)
    return f"finishes {next(iter(unclosed))}, which is not closed yet" if unclosed else "begins a new run"


def raise_if_held(report: RunReport | None) -> None:
    """Raise GateError if a report says that rows are held back."""
    if report is not None and report.held:
        sentences = "\n".join(f"  {sentence}" for sentence in report.held_sentences())
        raise GateError(
            f"The gate holds back rows:\n{sentences}\nEverything else is published. `crawlhouse gate list` shows what waits, and "
            "`crawlhouse gate --help` how to decide."
        )


def _raise_if_unreadable(report: RunReport | None) -> None:
    names = report.unreadable() if report is not None else []
    if report is not None and names:
        raise SpiderError(
            f"No page could be read for {', '.join(names)}: {report.unused[names[0]]['error']}. Everything else is published. Correct the "
            f"function, the spider or the definition; the pages are read again at their next visit."
        )


def raise_if_damaged(report: RunReport | None) -> None:
    """Raise StorageError if records could not be read."""
    damaged = 0 if report is None else report.reasons.get(f"{Outcome.REJECTED}: {Reason.DAMAGED_RECORD}", 0)
    if damaged:
        raise StorageError(
            f"{damaged} records of the archive cannot be read: a segment is cut off or damaged. The rows of captures with reason "
            "damaged_record name it; restore it from a backup. Everything else is published."
        )
