"""The last runs of crawls, a line each: their state, what they fetched, and which threshold they missed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schemas.config.settings import Settings
from schemas.errors import ThresholdError
from storage.ledger.held import Held, list_held
from storage.ledger.history import PastRun, latest_runs
from storage.ledger.ledger import Ledger, open_ledger

NUMBERS = ("due", "fetched", "denied", "failed", "filtered", "left_over")


@dataclass(frozen=True, slots=True)
class RunLine:
    """A crawl run. `state` is `fetching`, `missed`, `closed`, `held` or `published`; the numbers are those of its manifest.

    It is `missed` if it missed a threshold, and `held` as long as rows of it are held back; then `why` says more.
    """

    crawl: str
    crawl_run: str
    planned_at: datetime
    state: str
    ended_as: str | None
    due: int | None
    fetched: int
    denied: int | None
    failed: int | None
    filtered: int | None
    left_over: int | None
    process_run: str | None
    why: str


def last_runs(settings: Settings, per_crawl: int) -> list[RunLine]:
    """The last runs of each crawl, newest first within a crawl. None of a home without a database, which stays as it is."""
    if not settings.database and not settings.database_file("frontier").exists():
        return []
    past, ledger = latest_runs(settings, per_crawl), open_ledger(settings)
    try:
        held = {one.crawl_run: one for one in list_held(ledger.database) if one.decision is None}
        return [_line(run, ledger, held.get(run.crawl_run)) for run in past]
    finally:
        ledger.close()


def _line(run: PastRun, ledger: Ledger, held: Held | None) -> RunLine:
    counts = run.manifest.counts if run.manifest else None
    why = _missed_threshold(run, ledger)
    state = "fetching" if counts is None else "missed" if why else "held" if held else "published" if run.published else "closed"
    if held is not None and not why:
        why = f"Rows of {held.dataset} of {held.crawl_run} are held back: {held.reason}. `crawlhouse gate list` says what can be decided."
    return RunLine(
        crawl=run.crawl,
        crawl_run=run.crawl_run,
        planned_at=run.planned_at,
        state=state,
        ended_as=run.manifest.finish_reason if run.manifest else None,
        process_run=run.process_run,
        why=why,
        **({name: getattr(counts, name) for name in NUMBERS} if counts else dict.fromkeys(NUMBERS) | {"fetched": run.pages}),
    )


def _missed_threshold(run: PastRun, ledger: Ledger) -> str:
    from spiders.closing.thresholds import check_thresholds

    if run.manifest is None:
        return ""
    try:
        check_thresholds(ledger.crawl_run(run.crawl_run).crawl, run.manifest)
    except ThresholdError as missed:
        return str(missed)
    return ""
