"""`crawlhouse show`: the row of a URL beside its stored capture."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from crawlhouse.output.console import write, write_json
from crawlhouse.output.row_formats import Shown
from schemas.errors import ConfigError, NotFoundError, StorageError

if TYPE_CHECKING:
    from crawlhouse.reports.url_report import Dossier
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
    form: Annotated[Shown, typer.Option("--format", "-f", help="For people or for programs.")] = Shown.TABLE,
) -> None:
    """Show what became of a URL: its row beside the stored capture, and where every field came from.

    The archive is read back through the row's own pointer, and the payload's digest is computed again. --text, --html and --raw give a file
    or a pipe exactly what is stored; on a terminal, characters that would act on it are shown as escapes.
    """
    from crawlhouse.output.url_report import as_json, show_dossier
    from crawlhouse.reports.provenance import field_sources
    from crawlhouse.reports.url_report import decoded_html, raw_record, read_dossier
    from schemas.config.settings import load_settings

    if text + html + raw > 1:
        raise ConfigError("Choose one of --text, --html and --raw.")
    settings = load_settings()
    found = read_dossier(settings, url)
    if text:
        write(_text(found))
    elif raw:
        _write_bytes(raw_record(settings, found.pointer))
    elif html:
        write(decoded_html(_readable(found)))
    elif form is Shown.JSON:
        write_json(as_json(found, field_sources(settings, found)), indent=2)
    else:
        show_dossier(found, field_sources(settings, found))


def _write_bytes(data: bytes) -> None:
    if sys.stdout.isatty():
        write(data.decode("utf-8", "backslashreplace"))
    else:
        sys.stdout.buffer.write(data)


def _text(found: Dossier) -> str:
    row = found.article or found.quarantined
    if row is None:
        outcome = found.captures[0]
        raise NotFoundError(f"{found.url} has no text: it was {outcome['outcome']} ({outcome['reason']}). --html shows the page.")
    return str(row["text"])


def _readable(found: Dossier) -> Record:
    if found.record is None:
        raise StorageError(found.archive_problem)
    return found.record
