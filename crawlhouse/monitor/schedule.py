"""When a crawl should have run, and when it will run: from its schedule and from what is due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from croniter import croniter

from crawlhouse.monitor.past import duration
from schemas.config.crawl import Crawl
from schemas.config.schedule import grace, has_times, longest_processing, longest_run
from storage.ledger.alarms import Condition
from storage.ledger.summaries import RecentRun


def next_run(crawl: Crawl, now: datetime) -> datetime | None:
    """The next time of the schedule. None for a crawl without one, or one that is paused."""
    if crawl.paused or not has_times(crawl.schedule):
        return None
    found: datetime = croniter(crawl.schedule, now.astimezone(ZoneInfo(crawl.timezone))).get_next(datetime)
    return found.astimezone(UTC)


def lateness(crawl: Crawl, runs: Sequence[RecentRun], next_due: datetime | None, now: datetime) -> Condition | None:
    """Whether a run is overdue, or takes too long; `runs` are the newest first.

    A crawl without a schedule, one that is paused and one that never ran are not late.
    """
    if crawl.paused or not has_times(crawl.schedule) or not runs:
        return None
    if runs[0].state != "closed":
        return _long_run(crawl, runs[0], now)
    return _overdue(crawl, runs[0].planned_at, next_due, now)


def unprocessed(crawl: Crawl, runs: Sequence[RecentRun], now: datetime) -> Condition | None:
    """Whether the rows of a closed run should be published by now. A crawl without a schedule is processed when somebody wants it."""
    longest = None if crawl.paused else longest_processing(crawl.schedule)
    waiting = [(run, run.summary) for run in runs if run.summary is not None and run.summary.published_at is None]
    if longest is None or not waiting:
        return None
    oldest, summary = waiting[-1]
    if now - summary.closed_at < longest:
        return None
    return Condition(
        f"The run of {oldest.planned_at:%Y-%m-%d %H:%M} UTC was fetched {duration(now - summary.closed_at)} ago, and its rows are not "
        f"published. Does Airflow run, and is the DAG process_{crawl.name} paused?",
        run=oldest.crawl_run,
    )


def _long_run(crawl: Crawl, run: RecentRun, now: datetime) -> Condition | None:
    """An open run, when the next one is late because of it. Airflow says the same by the DAG's deadline."""
    longest, running = longest_run(crawl.schedule), now - run.planned_at
    if longest is None or running < longest:
        return None
    return Condition(
        f"The run of {run.planned_at:%Y-%m-%d %H:%M} UTC is not finished after {duration(running)}; the next one waits for it. "
        f"Look at its tasks in Airflow, or end it: crawlhouse stop {crawl.name}",
        run=run.crawl_run,
    )


def _overdue(crawl: Crawl, last_planned: datetime, next_due: datetime | None, now: datetime) -> Condition | None:
    """A time of the schedule that has passed, when URLs were due, without a run since then. A run may begin late by some grace."""
    times = croniter(crawl.schedule, now.astimezone(ZoneInfo(crawl.timezone)))
    last: datetime = times.get_prev(datetime)
    before: datetime = times.get_prev(datetime)
    expected = last if now - last >= grace(last - before) else before
    if next_due is None or last_planned >= expected or next_due > expected:
        return None
    return Condition(
        f"No run since {last_planned:%Y-%m-%d %H:%M} UTC; the run of {expected.astimezone(UTC):%Y-%m-%d %H:%M} UTC is "
        f"{duration(now - expected)} late. Does Airflow run, and is the DAG crawl_{crawl.name} paused?"
    )
