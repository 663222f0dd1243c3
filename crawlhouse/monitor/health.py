"""The state of each crawl: its last runs, what is wrong with it, and when it runs next."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from crawlhouse.monitor.past import quarantine_growth, silence
from crawlhouse.monitor.schedule import lateness, next_run, unprocessed
from crawlhouse.monitor.summaries import refresh_summaries
from schemas.config.crawl import Crawl
from schemas.config.crawl_defaults import is_base
from schemas.config.crawl_file import SUFFIXES, read_crawl
from schemas.config.notify import Alarm
from schemas.config.settings import Settings
from schemas.errors import CrawlhouseError
from storage.database.engine import Database
from storage.frontier.queries import next_due_url
from storage.ledger.alarms import AlarmState, Condition, list_alarms
from storage.ledger.held import Held, list_held
from storage.ledger.summaries import RecentRun, recent_runs

RUNS = 40  # of a crawl: what its past is judged by
URL = re.compile(r"https?://[^\s,;]+")
FAILED_PROCESS = "failed_process"
FAILED_STAGES = ("failed_crawl", FAILED_PROCESS)  # the stages fail and recover apart; both are told as `failed`


@dataclass(frozen=True, slots=True)
class CrawlHealth:
    """A crawl as it is now. `crawl` is its file's, None if there is none; `broken` is the mistake of its file.

    `runs` are its last runs, newest first. `wrong` has what is wrong, by alarm; `held` what waits for a decision. `next_run` is by its
    schedule, `next_due` the time and the URL that is due next.
    """

    name: str
    crawl: Crawl | None
    broken: str | None
    runs: tuple[RecentRun, ...]
    wrong: Mapping[str, Condition]
    alarms: tuple[AlarmState, ...]
    held: tuple[Held, ...]
    next_run: datetime | None
    next_due: tuple[datetime, str] | None

    @property
    def last_success(self) -> RecentRun | None:
        """The last run that missed no threshold and is published, without rows that are held back."""
        held = {one.crawl_run for one in self.held}
        good = (
            run for run in self.runs if run.summary and not run.summary.missed and run.summary.published_at and run.crawl_run not in held
        )
        return next(good, None)

    @property
    def is_fetching(self) -> bool:
        """Whether its newest run is not closed."""
        return bool(self.runs) and self.runs[0].state != "closed"


def read_health(database: Database, settings: Settings, crawl: str | None = None, now: datetime | None = None) -> dict[str, CrawlHealth]:
    """The state of each crawl that has a file or a run, or of one. Raises UnavailableError, StorageError."""
    refresh_summaries(database, settings)
    now = now or datetime.now(UTC)
    files, broken = _crawl_files(settings.crawls, crawl)
    runs = recent_runs(database, RUNS, crawl)
    held: dict[str, list[Held]] = {}
    for one in list_held(database, crawl):
        if one.decision is None:
            held.setdefault(one.crawl, []).append(one)
    alarms: dict[str, list[AlarmState]] = {}
    for alarm in list_alarms(database, crawl):
        alarms.setdefault(alarm.crawl, []).append(alarm)
    names = sorted({*files, *broken, *runs} if crawl is None else {crawl})
    due = _next_due(database, names)
    return {
        name: _health(
            name,
            files.get(name),
            broken.get(name),
            runs.get(name, []),
            alarms.get(name, []),
            held.get(name, []),
            due.get(name),
            now,
        )
        for name in names
    }


def conditions(
    crawl: Crawl | None, runs: Sequence[RecentRun], held: Sequence[Held], next_due: datetime | None, now: datetime
) -> dict[str, Condition | None]:
    """What is wrong by the state of runs and frontier, for every alarm that these decide."""
    closed = next((run.summary for run in runs if run.summary is not None), None)
    return {
        Alarm.THRESHOLD: Condition(closed.missed, _first_url(closed.missed), closed.crawl_run) if closed and closed.missed else None,
        Alarm.GATE: _gate(held),
        Alarm.SILENT: silence(runs, now),
        Alarm.LATE: lateness(crawl, runs, next_due, now) if crawl else None,
        Alarm.QUARANTINE: quarantine_growth(runs),
        Alarm.LAYOUT: _layout(runs),
    }


def _health(
    name: str,
    crawl: Crawl | None,
    broken: str | None,
    runs: Sequence[RecentRun],
    alarms: Sequence[AlarmState],
    held: Sequence[Held],
    due: tuple[datetime, str] | None,
    now: datetime,
) -> CrawlHealth:
    found = conditions(crawl, runs, held, due[0] if due else None, now)
    events = {one.kind: one.condition for one in alarms if one.raised and one.kind not in found}
    if crawl and found[Alarm.LATE] is None and FAILED_PROCESS not in events:
        found[Alarm.LATE] = unprocessed(crawl, runs, now)
    wrong = {kind: condition for kind, condition in {**events, **found}.items() if condition is not None}
    next_at = next_run(crawl, now) if crawl else None
    return CrawlHealth(name, crawl, broken, tuple(runs), wrong, tuple(alarms), tuple(held), next_at, due)


def _gate(held: Sequence[Held]) -> Condition | None:
    if not held:
        return None
    newest = held[-1]
    more = f" {len(held) - 1} more are held back." if len(held) > 1 else ""
    sentence = f"Rows of {newest.dataset} of {newest.crawl_run} are held back: {newest.reason}.{more}"
    return Condition(sentence, _first_url(newest.reason), newest.crawl_run)


def _layout(runs: Sequence[RecentRun]) -> Condition | None:
    published = next((run.summary for run in runs if run.summary is not None and run.summary.published_at is not None), None)
    return Condition(published.layout, run=published.crawl_run) if published is not None and published.layout else None


def _first_url(text: str) -> str | None:
    found = URL.search(text)
    return found[0] if found else None


def _next_due(database: Database, names: Sequence[str]) -> dict[str, tuple[datetime, str]]:
    with database.read() as connection:
        found = {name: next_due_url(connection, name) for name in names}
    return {name: (datetime.fromtimestamp(due[0], UTC), due[1]) for name, due in found.items() if due}


def _crawl_files(folder: Path, only: str | None) -> tuple[dict[str, Crawl], dict[str, str]]:
    """The crawls of a folder, and the mistakes of the broken ones. A file is read again when it, or a file of many crawls, has changed."""
    paths = sorted(path for path in folder.glob("*.y*ml") if path.suffix in SUFFIXES)
    shared = tuple((path.name, path.stat().st_mtime_ns) for path in paths if is_base(path))
    crawls: dict[str, Crawl] = {}
    broken: dict[str, str] = {}
    for path in paths:
        if is_base(path) or only not in {None, path.stem}:
            continue
        try:
            found = _read(path, path.stat().st_mtime_ns, shared)
        except OSError:  # removed just now
            continue
        if isinstance(found, str):
            broken[path.stem] = found
        else:
            crawls[path.stem] = found
    return crawls, broken


@lru_cache(maxsize=5_000)
def _read(path: Path, _changed_at: int, _shared: tuple[tuple[str, int], ...]) -> Crawl | str:
    try:
        return read_crawl(path)
    except CrawlhouseError as error:
        return str(error)
