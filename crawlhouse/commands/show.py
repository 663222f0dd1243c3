"""`crawlhouse show`: the row of a URL beside its stored capture."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from crawlhouse.output.console import write, write_json
from crawlhouse.output.row_formats import ReportFormat
from schemas.errors import ConfigError, NotFoundError, StorageError

if TYPE_CHECKING:
    from crawlhouse.reports.url_report import UrlReport
    from storage.warc.reader import Record

EXAMPLES = """
Examples:

  crawlhouse show https://example.com/news/one

  crawlhouse show https://example.com/news/one --text

  crawlhouse show https://example.com/news/one --raw | less

  crawlhouse show https://example.com/news/one --format json
"""


def show(
    url: Annotated[str, typer.Argument(metavar="URL")],
    text: Annotated[bool, typer.Option("--text", help="Only the article's text.")] = False,
    html: Annotated[bool, typer.Option("--html", help="Only the page as it was received, decoded.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Only the WARC record, byte by byte.")] = False,
    form: Annotated[ReportFormat, typer.Option("--format", "-f", help="For people or for programs.")] = ReportFormat.TABLE,
) -> None:
    """Show what became of a URL: its row beside the stored capture, and where every field came from.

    The archive is read back through the row's own pointer, and the payload's digest is computed again. --text, --html and --raw give a file
    or a pipe exactly what is stored; on a terminal, characters that would act on it are shown as escapes.
    """
    from crawlhouse.output.url_report import show_url_report, url_report_json
    from crawlhouse.reports.provenance import field_provenance
    from crawlhouse.reports.url_report import decoded_html, raw_record, read_url_report
    from schemas.config.settings import load_settings

    if text + html + raw > 1:
        raise ConfigError("Choose one of --text, --html and --raw.")
    settings = load_settings()
    found = read_url_report(settings, url)
    if text:
        write(_article_text(found))
    elif raw:
        _write_bytes(raw_record(settings, found.pointer))
    elif html:
        write(decoded_html(_record_of(found)))
    elif form is ReportFormat.JSON:
        write_json(url_report_json(found, field_provenance(settings, found)), indent=2)
    else:
        show_url_report(found, field_provenance(settings, found))


def _write_bytes(data: bytes) -> None:
    if sys.stdout.isatty():
        write(data.decode("utf-8", "backslashreplace"))
    else:
        sys.stdout.buffer.write(data)


def _article_text(found: UrlReport) -> str:
    row = found.article or found.quarantined
    if row is None:
        outcome = found.captures[0]
        raise NotFoundError(f"{found.url} has no text: it was {outcome['outcome']} ({outcome['reason']}). --html shows the page.")
    return str(row["text"])


def _record_of(found: UrlReport) -> Record:
    if found.record is None:
        raise StorageError(found.archive_problem)
    return found.record
