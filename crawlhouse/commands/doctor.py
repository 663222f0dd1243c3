"""`crawlhouse doctor`: whether everything that crawling and processing need is there and works."""

from __future__ import annotations

from typing import Annotated

import typer

from crawlhouse.output.row_formats import ReportFormat

EXAMPLES = """
Examples:

  crawlhouse doctor

  crawlhouse doctor --format json
"""


def doctor(form: Annotated[ReportFormat, typer.Option("--format", "-f", help="For people or for programs.")] = ReportFormat.TABLE) -> None:
    """Check the database, the store, the clock, the disks, the crawl files, the browser, Airflow, and what workers left behind.

    An object is written to the store, read back and removed. Exit code 0 if all that is needed works: a browser and a running Airflow are
    not. Otherwise the exit code is that of the first check that failed.
    """
    from crawlhouse.actions.doctor import show_examination
    from schemas.config.settings import load_settings

    code = show_examination(load_settings(), form)
    if code:
        raise typer.Exit(code)
