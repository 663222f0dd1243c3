"""`crawlhouse doctor` and `runs`: whether all that is needed works, and what became of the last runs."""

from __future__ import annotations

from typing import Annotated

import typer

from crawlhouse.output.row_formats import LinesFormat, ReportFormat

RUNS_EXAMPLES = """
Examples:

  crawlhouse runs

  crawlhouse runs my_news --rows 50

  crawlhouse runs my_news --format jsonl
"""
DOCTOR_EXAMPLES = """
Examples:

  crawlhouse doctor

  crawlhouse doctor --format json
"""


def runs(
    crawl: Annotated[str | None, typer.Argument(metavar="[CRAWL]", help="Of this crawl; of all without it.")] = None,
    rows: Annotated[int, typer.Option(min=1, max=10_000, help="How many runs of each crawl.")] = 10,
    form: Annotated[LinesFormat, typer.Option("--format", "-f", help="For people or for programs.")] = LinesFormat.TABLE,
) -> None:
    """List the last runs, newest first: their state, what they fetched, and why a run missed a threshold.

    fetching: open or being closed; missed: closed, but a threshold of the crawl was missed; closed: waits for its processing; held:
    rows of it are held back; published: its rows can be queried.
    """
    from crawlhouse.actions.runs import show_runs
    from schemas.config.settings import load_settings

    show_runs(load_settings(), crawl, rows, form)


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
