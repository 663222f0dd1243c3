"""What `crawlhouse process` does: process runs over all closed crawl runs of a crawl that are not published yet, mostly one."""

from __future__ import annotations

import atexit
import gc
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crawlhouse.actions.monitor.notify import telling
from crawlhouse.command_lock import hold_command_lock
from crawlhouse.output.console import progress_line, say, write_json
from crawlhouse.output.row_formats import ReportFormat
from runtime.child import cpu_count
from runtime.forked_child import forked_early
from runtime.imports import import_lazily, left_out, one_blas_thread, without_collection
from schemas.config.crawl_file import find_crawl
from schemas.config.settings import Settings, make_home
from schemas.errors import GateError, NotFoundError, SpiderError, StorageError
from schemas.keys import report_key
from schemas.numbers import plural
from schemas.outcomes import Outcome, Reason
from storage.ledger.pending import is_all_processed, read_pending
from storage.objects.open import open_store
from storage.outages import patience, wait_out

if TYPE_CHECKING:
    from processing.publish.report import RunReport
    from storage.objects.store import ObjectStore

# Imported by pyiceberg, for its own configuration file and for conditions that are given as text; nothing here needs them
UNUSED_AT_FIRST = ("strictyaml", "pyiceberg.expressions.parser")
MAX_NAMED = 5  # crawl runs in one message
MAX_FORKED = 8  # page workers; on more processors, the others start as new interpreters when there are pages for them
AFTER_A_CORRECTION = (
    "If the definition is wrong, correct it first: `accept` makes the rows by that of today. `crawlhouse gate list` shows what waits."
)


def run_process(reference: str, settings: Settings, form: ReportFormat) -> None:
    """Process and publish what was fetched, and print the accounting of each process run.

    Raises StorageError if records of the archive are damaged, GateError if rows are held back, and SpiderError if no page could be read
    for a dataset; all else is published then.
    """
    name = known_name(reference, settings)
    make_home(settings)
    with telling(name, "process", settings):
        _process(name, settings, form)


def _process(name: str, settings: Settings, form: ReportFormat) -> None:
    with hold_command_lock(settings, f"process-{name}"), patience(settings):
        reports = [] if wait_out(is_all_processed, name, settings) else _processed(name, settings)
    if not reports:
        say(_nothing_to_process(name, settings))
    _print_reports(reports, form)
    for report in reports:
        raise_if_damaged(report)
    raise_if_held(reports, settings)
    for report in reports:
        _raise_if_unreadable(report)


def _print_reports(reports: Sequence[RunReport], form: ReportFormat) -> None:
    if form is ReportFormat.JSON:
        for found in [json.loads(report.to_json()) for report in reports] or [None]:
            write_json(found, indent=2)
    elif reports:
        from crawlhouse.output.accounting import show_report

        for report in reports:
            show_report(report)


def _processed(name: str, settings: Settings) -> list[RunReport]:
    """The report of each process run: a large backlog takes several."""
    reports = []
    with _first_children():
        process_once = _import_processing()
        with progress_line() as update:
            while (report := wait_out(process_once, name, settings, progress=update)) is not None:
                reports.append(report)
    return reports


@contextmanager
def _first_children() -> Iterator[None]:
    """The page workers and the process that judges are forked now, when the modules are imported that they need.

    What reads a page is imported here, once for all workers.
    """
    with without_collection(), one_blas_thread():
        import numpy as np  # noqa: F401 all use it

        from processing.expectations.judge_process import JUDGE
        from processing.extract import reading  # noqa: F401 the page workers'
        from processing.extract.page_tasks import READ_TASK
        from processing.workers import child  # noqa: F401 the page workers'
        from processing.workers.pool import first_worker
    gc.freeze()
    with forked_early([first_worker(READ_TASK)] * min(cpu_count(), MAX_FORKED), apart=[JUDGE]):
        yield


def _import_processing() -> Callable[..., RunReport | None]:
    """`processing.stages.process_once`. The import takes a second, and most often there is nothing to process."""
    for name in UNUSED_AT_FIRST:
        import_lazily(name)
    with without_collection(), left_out(["pandas"]):
        import pyarrow.dataset  # noqa: F401 it looks for pandas once; what needs pandas has a process of its own

        from processing.stages import process_once
    gc.freeze()  # what is imported stays: the collector need not look at it again
    atexit.register(gc.unfreeze)  # DuckDB complains at the end of what it cannot free
    return process_once


def known_name(reference: str, settings: Settings) -> str:
    """The crawl's name. A crawl whose file was removed is still known by its runs. Raises NotFoundError, ConfigError."""
    try:
        return find_crawl(reference, settings.crawls).name
    except NotFoundError:
        from storage.ledger.ledger import open_ledger

        if open_ledger(settings).crawl_runs(reference):
            return reference
        raise


def _nothing_to_process(name: str, settings: Settings) -> str:
    """Why there is nothing to process, and what can be done: the crawl runs whose rows wait for a decision are named."""
    pending = read_pending(name, settings)
    waiting = pending.held
    if not waiting:
        next_step = f"finishes {pending.unclosed}, which is not closed yet" if pending.unclosed else "begins a new run"
        why = f"every closed run of {name} is published" if pending.last_published else f"{name} has no closed run yet"
        return f"Nothing to process: {why}. `crawlhouse crawl {name}` {next_step}."
    others = f", and {len(waiting) - MAX_NAMED} more" if len(waiting) > MAX_NAMED else ""
    return (
        f"Nothing to process, but rows of {', '.join(waiting[:MAX_NAMED])}{others} are held back or rolled back. "
        f"`crawlhouse gate list` says why; `crawlhouse gate accept RUN` or `crawlhouse reprocess {name} --run RUN` publishes them."
    )


def raise_if_held(reports: Sequence[RunReport], settings: Settings) -> None:
    """Raise GateError if rows are held back: how many of which dataset, why, and the commands that decide on them."""
    if not any(report.held for report in reports):
        return
    store = open_store(settings)
    lines = [line for report in reports for line in _held_lines(report, store)]
    raise GateError("\n".join(["The gate holds back rows; everything else is published.", *lines, AFTER_A_CORRECTION]))


def _held_lines(report: RunReport, store: ObjectStore) -> Iterator[str]:
    from processing.expectations.suite_result import judged_rows

    key = report_key(report.process_run, "expectations.json")
    rows = judged_rows(store.get_bytes(key)) if store.info(key) is not None else {}
    for crawl_run, found in sorted(report.held.items()):
        for name, why in sorted(found.items()):
            count = rows.get((crawl_run, name))  # none where a step broke: its rows were not judged
            judged = f", {plural(count, 'row')}" if count else ""
            yield f"{name} of {crawl_run}{judged}: {why}."
            yield f'  to publish them:   crawlhouse gate accept {crawl_run} --dataset {name} --reason "..."'
            yield f'  to leave them out: crawlhouse gate discard {crawl_run} --dataset {name} --reason "..."'


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
            f"{plural(damaged, 'record')} of the archive cannot be read: a segment is cut off or damaged. The rows of captures with reason "
            "damaged_record name it; restore it from a backup. Everything else is published."
        )
