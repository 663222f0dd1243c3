"""`crawlhouse show`: the row of a URL next to its stored capture."""

from __future__ import annotations

from typing import Annotated

import typer

from crawlhouse.output.row_formats import ReportFormat
from runtime.imports import without_collection
from schemas.errors import ConfigError

EXAMPLES = """
Examples:

  crawlhouse show https://example.com/news/one

  crawlhouse show https://example.com/news/one --text

  crawlhouse show https://example.com/news/one --markdown > one.md

  crawlhouse show https://example.com/news/one --raw | less

  crawlhouse show https://example.com/news/one --format json
"""


def show(
    url: Annotated[str, typer.Argument(metavar="URL")],
    text: Annotated[bool, typer.Option("--text", help="Only the article's text.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Only the main text as Markdown, of any page or PDF.")] = False,
    html: Annotated[bool, typer.Option("--html", help="Only the page as it was received, decoded.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Only the WARC record, byte by byte.")] = False,
    form: Annotated[ReportFormat, typer.Option("--format", "-f", help="For people or for programs.")] = ReportFormat.TABLE,
) -> None:
    """Show the outcome of a URL: its row next to the stored capture, and where every field came from.

    The capture is read from the archive by the row's own pointer, and the payload's digest is computed again. To a file or a pipe, --text,
    --markdown, --html and --raw write exactly what is stored. On a terminal, characters that would control it are shown as escapes.
    """
    if text + markdown + html + raw > 1:
        raise ConfigError("Choose one of --text, --markdown, --html and --raw.")
    with without_collection():  # it would take a twentieth of the time
        from crawlhouse.actions.lake import show as action
        from schemas.config.settings import load_settings

        settings = load_settings()
        if text:
            action.show_text(settings, url)
        elif markdown:
            action.show_markdown(settings, url)
        elif html:
            action.show_html(settings, url)
        elif raw:
            action.show_raw(settings, url)
        else:
            action.show_url(settings, url, form)
