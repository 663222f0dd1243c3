"""What `crawlhouse reprocess` does: plan, compare, ask, publish portion by portion, and print what came of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import typer

from crawlhouse.actions.crawl import worker_log
from crawlhouse.actions.lake.process import known_name, raise_if_damaged, raise_if_held
from crawlhouse.command_lock import hold_command_lock
from crawlhouse.output.accounting import show_report
from crawlhouse.output.comparison import comparison_json, show_comparison
from crawlhouse.output.console import progress_line, say, write_json
from crawlhouse.output.row_formats import ReportFormat
from processing.extract.item_rows import item_datasets
from processing.publish.report import RunReport
from processing.reprocess.again import compare, extract_all, publish
from processing.reprocess.comparison import Comparison
from processing.reprocess.portions import Plan, plan
from processing.reprocess.selection import Selected
from processing.reprocess.tasks import read_time
from processing.resources import open_resources
from schemas.config.settings import Settings, make_home
from schemas.numbers import plural
from schemas.runs import ProcessRun
from storage.outages import patience, wait_out


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the command is to go on: only compare, do not ask, do not call the spider again; and how results are printed."""

    dry_run: bool = False
    confirmed: bool = False
    stored_items: bool = False
    form: ReportFormat = ReportFormat.TABLE


def selected(run: str | None, since: str | None, url: str | None, dataset: str | None, *, quarantined: bool) -> Selected:
    """The selection of the command line. Raises ConfigError."""
    return Selected(run, None if since is None else read_time(since), url, quarantined, dataset)


def run_reprocess(reference: str, wanted: Selected, wishes: Wishes, settings: Settings) -> None:
    """Make rows again and print the comparison and the accounting.

    Raises what planning, the spider and the stages raise; GateError if rows are held back, after everything else is published.
    """
    name = known_name(reference, settings)
    make_home(settings)
    with hold_command_lock(settings, f"process-{name}"), patience(settings):
        planned = wait_out(_plan, name, wanted, settings)
        _say_what_is_left_out(planned, name)
        if not planned.process_runs:
            say("Nothing to do.")
            if wishes.form is ReportFormat.JSON:
                write_json(None)
            return
        asks = sys.stdin.isatty() and not wishes.confirmed
        compared: Comparison | None = None
        if wishes.dry_run or asks:
            compared = _compare_all(planned.process_runs, wishes, settings)
            _show(compared, wishes.form, is_last=wishes.dry_run)
            if wishes.dry_run:
                return
            typer.confirm(f"Publish this in place of the rows of {_runs(planned.process_runs)}?", abort=True)
        reports = _publish_all(planned.process_runs, wishes, compared, settings)
    for report in reports:
        if wishes.form is ReportFormat.TABLE:
            show_report(report)
    for report in reports:
        raise_if_damaged(report)
    raise_if_held(reports, settings)


def _plan(name: str, wanted: Selected, settings: Settings) -> Plan:
    with open_resources(settings) as resources:
        return plan(name, wanted, settings, resources)


def _say_what_is_left_out(planned: Plan, name: str) -> None:
    if planned.new:
        say(f"Not processed yet, so left out: {', '.join(planned.new)}. `crawlhouse process {name}` does that.")
    if planned.removed:
        first, last, count = planned.removed[0], planned.removed[-1], len(planned.removed)
        say(
            f"{plural(count, 'crawl run', 'has', 'have')} no segments any more (retention), from {first} to {last}: the rows stay as "
            "they are."
        )
    if planned.discarded:
        say(
            f"{plural(len(planned.discarded), 'crawl run', 'was', 'were')} rolled back and discarded, so left out: "
            f"{', '.join(planned.discarded)}. With --run its rows are made again."
        )
    if planned.done:
        say(f"{plural(planned.done, 'crawl run', 'is', 'are')} left out: today's code and rules have made the rows again already.")


def _runs(runs: Sequence[ProcessRun]) -> str:
    count = len({crawl_run for run in runs for crawl_run in run.crawl_runs})
    return f"{count:,} crawl runs" if count > 1 else runs[0].crawl_runs[0]


def _compare_all(runs: Sequence[ProcessRun], wishes: Wishes, settings: Settings) -> Comparison:
    whole = Comparison()
    for number, run in enumerate(runs, 1):
        _extract(run, f"{number:,}/{len(runs):,} ", wishes, settings)
        whole.add(wait_out(compare, run.process_run, settings))
    return whole


def _extract(run: ProcessRun, label: str, wishes: Wishes, settings: Settings) -> None:
    """Stage the items that the crawl's spider makes today, then the rows of all segments."""
    if item_datasets(run) and run.crawl.has_own_spider() and not wishes.stored_items:
        from spiders.replay.process import replay

        with worker_log(settings, f"reprocess-{run.crawl.name}") as log:
            replay(run.process_run, settings, log)
    with progress_line() as update:
        wait_out(extract_all, run.process_run, settings, lambda text: update(label + text))


def _publish_all(runs: Sequence[ProcessRun], wishes: Wishes, compared: Comparison | None, settings: Settings) -> list[RunReport]:
    """Publish the portions in their order. Without a comparison that was shown already, each is compared first."""
    reports: list[RunReport] = []
    whole = Comparison()
    for number, run in enumerate(runs, 1):
        _extract(run, f"{number:,}/{len(runs):,} ", wishes, settings)
        if compared is None:
            found = wait_out(compare, run.process_run, settings)
            whole.add(found)
            if wishes.form is ReportFormat.TABLE:
                show_comparison(found)
        with progress_line() as update:
            update(f"{number:,}/{len(runs):,} publish")
            reports.append(wait_out(publish, run.process_run, settings))
    if wishes.form is ReportFormat.JSON:
        published = [json.loads(report.to_json()) for report in reports]
        write_json({"comparison": comparison_json(compared or whole), "published": published}, indent=2)
    return reports


def _show(compared: Comparison, form: ReportFormat, *, is_last: bool) -> None:
    if form is ReportFormat.TABLE:
        show_comparison(compared)
    elif is_last:
        write_json({"comparison": comparison_json(compared), "published": []}, indent=2)
