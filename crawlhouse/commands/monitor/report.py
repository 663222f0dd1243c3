"""`crawlhouse report`: the page of a run or of a crawl as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """
Examples:

  crawlhouse report my_news -o report.html

  crawlhouse report my_news-20260301T120000Z-a1b2c3 -o run.html
"""


def report(
    reference: Annotated[str, typer.Argument(metavar="RUN|CRAWL", help="A crawl run, as `crawlhouse runs` lists it, or a crawl.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The HTML file to write.")],
) -> None:
    """Write the page of a run, or of a crawl with its last runs, as one HTML file with its plots. It needs no other file and no network."""
    from crawlhouse.actions.monitor.report import write_report
    from schemas.config.settings import load_settings

    write_report(load_settings(), reference, output)
