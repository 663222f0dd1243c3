"""Which crawl runs a user means by a name, and what `crawlhouse runs` does: list the last runs and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from crawlhouse.output.console import show, table, write_json, write_line
from crawlhouse.output.row_formats import LinesFormat
from crawlhouse.reports.runs import RunLine, last_runs
from schemas.config.settings import Settings
from schemas.errors import NotFoundError
from storage.ledger.ledger import Ledger


def runs_of(ledger: Ledger, reference: str) -> list[str]:
    """The run with this name, or all runs of the crawl with this name. Raises NotFoundError."""
    runs = [run.crawl_run for run in ledger.crawl_runs() if reference in {run.crawl_run, run.crawl.name}]
    if not runs:
        raise NotFoundError(f"There is no crawl run {reference!r}, and no run of a crawl of this name. `crawlhouse runs` lists the last.")
    return runs


def show_runs(settings: Settings, crawl: str | None, per_crawl: int, form: LinesFormat) -> None:
    """Print the last runs of a crawl, or of all. Raises NotFoundError for a crawl that has none."""
    lines = last_runs(settings, per_crawl)
    if crawl is not None:
        lines = [line for line in lines if line.crawl == crawl]
        if not lines:
            raise NotFoundError(f"There is no run of a crawl {crawl!r} in {settings.redacted_database()}.")
    if form is LinesFormat.TABLE:
        _show(lines)
        return
    objects = [asdict(line) | {"planned_at": line.planned_at.isoformat()} for line in lines]
    if form is LinesFormat.JSON:
        write_json(objects)
    for one in objects if form is LinesFormat.JSONL else ():
        write_json(one)


def _show(lines: Sequence[RunLine]) -> None:
    if not lines:
        write_line("There is no run yet. `crawlhouse crawl NAME` makes one.")
        return
    columns = ("run", "planned (UTC)", "state", "ended as", "due", "fetched", "failed", "left over")
    rows = [
        (line.crawl_run, f"{line.planned_at:%Y-%m-%d %H:%M}", line.state, line.ended_as or "", *map(_number, _shown(line)))
        for line in lines
    ]
    show(table("", columns, rows, numbers=columns[4:]))
    for line in lines:
        if line.why:
            write_line(line.why)


def _shown(line: RunLine) -> tuple[int | None, ...]:
    return line.due, line.fetched, line.failed, line.left_over


def _number(count: int | None) -> str:
    return "" if count is None else f"{count:,}"
