"""How long a run may take before it is late: from a crawl's schedule alone, so that every reading of its file says the same."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

LEAST_GRACE = timedelta(minutes=5)  # chosen: Airflow starts a run within seconds, on a busy machine within minutes
MOST_GRACE = timedelta(hours=6)  # chosen: a daily crawl that misses its hour is reported on the same day
LEAST_PROCESSING = timedelta(hours=1)  # chosen: for the processing of a crawl that runs every few minutes
LOOKED_AT = 12  # intervals: a week of days, and half a day of hours
SOME_MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def has_times(schedule: str | None) -> bool:
    """Whether a schedule says when runs are due."""
    return schedule is not None and schedule != "@once"


def grace(interval: timedelta) -> timedelta:
    """How late a run may begin or end: half an interval, five minutes at least and six hours at most."""
    return min(max(interval / 2, LEAST_GRACE), MOST_GRACE)


@lru_cache(maxsize=1_000)
def shortest_interval(schedule: str) -> timedelta | None:
    """The shortest time between two runs of a cron expression. None if it has a single date."""
    from croniter import croniter
    from croniter.croniter import CroniterBadDateError

    times = croniter(schedule, SOME_MONDAY)
    dates: list[datetime] = []
    with suppress(CroniterBadDateError):  # an expression with years may end
        dates.extend(times.get_next(datetime) for _ in range(LOOKED_AT + 1))
    return min((later - earlier for earlier, later in pairwise(dates)), default=None)


def longest_run(schedule: str | None) -> timedelta | None:
    """How long a crawl run may take: until the next one is late. None without a schedule."""
    interval = shortest_interval(schedule) if schedule is not None and has_times(schedule) else None
    return None if interval is None else interval + grace(interval)


def longest_processing(schedule: str | None) -> timedelta | None:
    """How long the rows of a closed run may take to be published: as long as a run, and an hour at least. None without a schedule."""
    longest = longest_run(schedule)
    return None if longest is None else max(longest, LEAST_PROCESSING)
