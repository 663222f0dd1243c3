"""What `crawlhouse show` does: print the report on a URL, or one part of it unchanged."""

from __future__ import annotations

import sys

from crawlhouse.output.console import write, write_json
from crawlhouse.output.row_formats import ReportFormat
from crawlhouse.output.url_report import show_url_report, url_report_json
from crawlhouse.reports.making import making_of
from crawlhouse.reports.provenance import field_provenance, page_markdown
from crawlhouse.reports.url_report import UrlReport, decoded_html, raw_record, read_url_report
from processing.extract.limited_pages import FIND_PROVENANCE
from processing.workers.pool import first_worker
from runtime.forked_child import forked_early
from schemas.config.settings import Settings
from schemas.errors import NotFoundError, StorageError
from storage.warc.reader import Record


def show_url(settings: Settings, url: str, form: ReportFormat) -> None:
    """Print the report on a URL. Raises NotFoundError, and what the store and the lake raise."""
    with forked_early([first_worker(FIND_PROVENANCE)]):  # the worker that reads the page need not import again what this process has
        report = read_url_report(settings, url)
        provenance = field_provenance(settings, report)
    making = making_of(settings, report)
    if form is ReportFormat.JSON:
        write_json(url_report_json(report, provenance, making), indent=2)
    else:
        show_url_report(report, provenance, making)


def show_text(settings: Settings, url: str) -> None:
    """Print the article's text only. Raises NotFoundError if the URL has none."""
    report = read_url_report(settings, url)
    row = report.article or report.quarantined
    if row is None:
        capture = report.captures[0]
        raise NotFoundError(f"{report.url} has no text: it was {capture['outcome']} ({capture['reason']}). --html shows the page.")
    write(str(row["text"]))


def show_markdown(settings: Settings, url: str) -> None:
    """Print the main text as Markdown, of a page that is no article too. Raises NotFoundError, StorageError."""
    write(page_markdown(settings, read_url_report(settings, url)) + "\n")


def show_html(settings: Settings, url: str) -> None:
    """Print the page as it was received, decoded. Raises NotFoundError, StorageError."""
    write(decoded_html(_record_of(read_url_report(settings, url))))


def show_raw(settings: Settings, url: str) -> None:
    """Print the WARC record, byte by byte. On a terminal, bytes that are not text are escaped. Raises NotFoundError, StorageError."""
    data = raw_record(settings, read_url_report(settings, url).pointer)
    if sys.stdout.isatty():
        write(data.decode("utf-8", "backslashreplace"))
    else:
        sys.stdout.buffer.write(data)


def _record_of(report: UrlReport) -> Record:
    if report.record is None:
        raise StorageError(report.archive_problem)
    return report.record
