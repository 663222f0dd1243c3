"""When a crawl should have run, and when it will run: from its schedule and from what is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import croniter

from crawlhouse.monitor.past import duration
from schemas.config.crawl import Crawl
from storage.ledger.alarms import Condition

LEAST_GRACE = timedelta(minutes=5)  # chosen: Airflow starts a run within seconds, on a busy machine within minutes
MOST_GRACE = timedelta(hours=6)  # chosen: a daily crawl that misses its hour is reported on the same day


def next_run(crawl: Crawl, now: datetime) -> datetime | None:
    """The next time of the schedule. None for a crawl without one, or one that is paused."""
    if not crawl.schedule or crawl.paused or crawl.schedule == "@once":
        return None
    found: datetime = croniter(crawl.schedule, now.astimezone(ZoneInfo(crawl.timezone))).get_next(datetime)
    return found.astimezone(UTC)


def lateness(crawl: Crawl, last_planned: datetime | None, next_due: datetime | None, now: datetime) -> Condition | None:
    """Whether a run is overdue: its time has passed, URLs were due then, and no run began since.

    A run may begin half an interval late, but at least five minutes and at most six hours. A crawl that never ran is not late.
    """
    if not crawl.schedule or crawl.paused or crawl.schedule == "@once" or last_planned is None or next_due is None:
        return None
    times = croniter(crawl.schedule, now.astimezone(ZoneInfo(crawl.timezone)))
    last: datetime = times.get_prev(datetime)
    before: datetime = times.get_prev(datetime)
    grace = min(max((last - before) / 2, LEAST_GRACE), MOST_GRACE)
    expected = last if now - last >= grace else before
    if last_planned >= expected or next_due > expected:
        return None
    return Condition(
        f"No run since {last_planned:%Y-%m-%d %H:%M} UTC; the run of {expected.astimezone(UTC):%Y-%m-%d %H:%M} UTC is "
        f"{duration(now - expected)} late. Does Airflow run, and is the DAG crawl_{crawl.name} paused?"
    )
