"""The overview: a row for each crawl with its state, sorted by what needs attention."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from markupsafe import Markup

from crawlhouse.monitor.health import CrawlHealth, read_health
from crawlhouse.monitor.messages import alarm_of
from crawlhouse.pages.plots import sparkline
from crawlhouse.pages.site import REFRESH_SECONDS, Site, render
from schemas.config.notify import Alarm
from schemas.config.settings import Settings
from schemas.numbers import plural
from storage.database.engine import open_database
from storage.frontier.admin.examples import OpenRun, open_runs

SHOWN_RUNS = 30  # of a trend
STATES = {"bad": "need attention", "doubtful": "to look at", "busy": "at work", "good": "fine", "soft": "paused or never ran"}  # by rank
BAD = (Alarm.FAILED, Alarm.THRESHOLD, Alarm.GATE)
DOUBTFUL = (Alarm.LATE, Alarm.SILENT, Alarm.QUARANTINE, Alarm.LAYOUT)
LABELS = {
    Alarm.FAILED: "failed",
    Alarm.THRESHOLD: "threshold missed",
    Alarm.GATE: "gate failed",
    Alarm.LATE: "late",
    Alarm.SILENT: "silent",
    Alarm.QUARANTINE: "quarantine grows",
    Alarm.LAYOUT: "layout changed",
}


@dataclass(frozen=True, slots=True)
class DagState:
    """What Airflow knows of a crawl's DAGs: paused or not, the next run, and the id of a DAG run that failed and that none followed."""

    is_paused: bool = False
    next_run: datetime | None = None
    failed_dag: str | None = None
    failed_run: str | None = None


@dataclass(frozen=True, slots=True)
class CrawlRow:
    """A row of the overview. `rank` 0 is bad, 1 doubtful, 2 at work, 3 fine, 4 at rest; `label` names the state, `why` is a sentence."""

    health: CrawlHealth
    dag: DagState
    rank: int
    label: str
    why: tuple[str, ...]
    pages: Markup
    rows: Markup
    error_rate: float | None
    waiting: int
    open_run: OpenRun | None = None

    @property
    def style(self) -> str:
        """The class of the state in the style sheet."""
        return tuple(STATES)[self.rank]

    @property
    def next_run(self) -> datetime | None:
        """When Airflow or the schedule runs it next."""
        return None if self.dag.is_paused else self.dag.next_run or self.health.next_run


def render_overview(
    settings: Settings,
    site: Site,
    *,
    dags: Mapping[str, DagState] | None = None,
    waiting: Mapping[str, int] | None = None,
    visible: Callable[[Collection[str]], Collection[str]] = lambda names: names,
    state: str = "",
) -> str:
    """The page as HTML. `waiting` counts the rows in quarantine by crawl. With a `state`, one of STATES, only crawls in it are listed.

    `visible` gets the names of all crawls, and returns those that the user may see.

    Raises UnavailableError, StorageError.
    """
    rows = read_rows(settings, dags or {}, waiting or {}, visible)
    counts = {style: sum(1 for row in rows if row.style == style) for style in STATES}
    rows = [row for row in rows if row.style == state] if state in STATES else rows
    refresh = REFRESH_SECONDS if counts["busy"] else 6 * REFRESH_SECONDS
    return render(
        "overview.html",
        site,
        title="Crawls",
        rows=rows,
        counts=counts,
        states=STATES,
        chosen=state if state in STATES else "",
        refresh=refresh,
        place="overview",
    )


def read_rows(
    settings: Settings,
    dags: Mapping[str, DagState],
    waiting: Mapping[str, int],
    visible: Callable[[Collection[str]], Collection[str]],
) -> list[CrawlRow]:
    """All rows that may be seen, those first that need attention."""
    database = open_database(settings.database_url("frontier"))
    try:
        found, running = read_health(database, settings), open_runs(database)
    finally:
        database.close()
    shown = set(visible(list(found)))
    rows = [crawl_row(health, dags.get(name, DagState()), waiting.get(name, 0)) for name, health in found.items() if name in shown]
    rows = [replace(row, open_run=running.get(row.health.runs[0].crawl_run)) if row.health.is_fetching else row for row in rows]
    return sorted(rows, key=lambda row: (row.rank, row.health.name))


def crawl_row(health: CrawlHealth, dag: DagState, waiting: int) -> CrawlRow:
    """A crawl as a row."""
    rank, label, why = _state(health, dag)
    runs = [run for run in health.runs[:SHOWN_RUNS] if run.summary is not None][::-1]
    summaries = [run.summary for run in runs if run.summary is not None]
    last = summaries[-1] if summaries else None
    tried = last.fetched + last.failed if last else 0
    pages = sparkline(
        [one.fetched for one in summaries],
        [one.failed for one in summaries],
        f"pages of the last {plural(len(runs), 'run')}, the last {last.fetched if last else 0:,}",
    )
    published = [one.published for one in summaries]
    rows = sparkline(
        published, [one.quarantined for one in summaries], f"published, newest {published[-1] if published else 0:,}; in quarantine in red"
    )
    return CrawlRow(health, dag, rank, label, why, pages, rows, last.failed / tried if last and tried else None, waiting)


def _state(health: CrawlHealth, dag: DagState) -> tuple[int, str, tuple[str, ...]]:
    if health.broken is not None:
        return 0, "broken file", (health.broken,)
    wrong = {alarm_of(kind): condition.sentence for kind, condition in health.wrong.items()}
    if dag.failed_dag and not wrong.keys() & set(BAD):
        wrong[Alarm.FAILED] = f"The last run of {dag.failed_dag} failed in Airflow."
    for rank, kinds in enumerate((BAD, DOUBTFUL)):
        found = [kind for kind in kinds if kind in wrong]
        if found:
            return rank, LABELS[found[0]], tuple(wrong[kind] for kind in (*BAD, *DOUBTFUL) if kind in wrong)
    if health.is_fetching:
        return 2, "fetching", ()
    if health.runs and health.runs[0].summary and not health.runs[0].summary.published_at:
        return 2, "to be processed", ()
    if health.crawl is None:
        return 4, "no file", ("Its crawl file was removed.",)
    if health.crawl.paused or dag.is_paused:
        return 4, "paused", ()
    return (3, "fine", ()) if health.runs else (4, "never ran", ())
