"""What a crawl's own past makes likely: how long it is without new rows, and how many of its records go to quarantine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from schemas.numbers import plural
from storage.ledger.alarms import Condition
from storage.ledger.summaries import RecentRun, RunSummary

MIN_GAPS = 5  # chosen: with fewer, nothing is said of a source's pace
SILENT_CHANCE = 0.001  # one false alarm in a thousand gaps
MIN_QUARANTINED = 10  # chosen: a few rows are no trend
DEVIATIONS = 4.0  # of a binomial distribution; by chance once in some 30,000 runs
LEAST_RATE = 0.005  # the past rate that is assumed at least: a crawl without any quarantined row does not raise an alarm for few


def silence(runs: Sequence[RecentRun], now: datetime) -> Condition | None:
    """Whether a crawl has had no new row for longer than its past makes likely; `runs` are the newest first.

    The times between runs with new rows are taken as exponential with an unknown rate, so that a gap as long as t has the probability
    (S / (S + t))^n after n gaps of S together. It must be longer than every gap before too, such as a weekend. Only runs that were
    published after the last new row count: a crawl that does not run is late, not silent.
    """
    summaries = [run.summary for run in runs if run.summary is not None and run.summary.published_at is not None]
    productive = [one for one in summaries if one.published]
    if len(productive) <= MIN_GAPS or not summaries or summaries[0].published:
        return None
    times = [one.closed_at for one in productive]
    gaps = [(later - earlier).total_seconds() for later, earlier in pairwise(times)]
    total, gap = sum(gaps), (now - times[0]).total_seconds()
    if gap <= max(gaps) or total <= 0 or (total / (total + gap)) ** len(gaps) > SILENT_CHANCE:
        return None
    since = sum(1 for one in summaries if one.closed_at > times[0])
    return Condition(
        f"No new row for {duration(gap)}, in {plural(since, 'run')}. Before, it was {duration(max(gaps))} at most, and "
        f"{duration(total / len(gaps))} on average.",
        run=summaries[0].crawl_run,
    )


def quarantine_growth(runs: Sequence[RecentRun]) -> Condition | None:
    """Whether far more of the newest run's records went to quarantine than in the runs before it."""
    summaries = [run.summary for run in runs if run.summary is not None and run.summary.published_at is not None and _judged(run.summary)]
    if len(summaries) <= MIN_GAPS or summaries[0].quarantined < MIN_QUARANTINED:
        return None
    newest, past = summaries[0], summaries[1:]
    before = sum(one.quarantined for one in past)
    rate = max(before / sum(map(_judged, past)), LEAST_RATE)
    judged = _judged(newest)
    if newest.quarantined <= judged * rate + DEVIATIONS * math.sqrt(judged * rate * (1 - rate)):
        return None
    return Condition(
        f"{newest.quarantined:,} of {plural(judged, 'record')} went to quarantine, {newest.quarantined / judged:.0%}; in the "
        f"{plural(len(past), 'run')} before it {before / sum(map(_judged, past)):.1%}.",
        run=newest.crawl_run,
    )


def _judged(run: RunSummary) -> int:
    return run.published + run.quarantined


def duration(seconds: float | timedelta) -> str:
    """A time span in its two largest units at most, like `2 d 5 h`."""
    total = int(seconds.total_seconds() if isinstance(seconds, timedelta) else seconds)
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    parts: list[str] = []
    for name, size in units:
        count, total = divmod(total, size)
        if count or parts:
            parts.append(f"{count} {name}" if count else "")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if part) or "0 s"
