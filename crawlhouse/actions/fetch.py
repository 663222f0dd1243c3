"""What `crawlhouse fetch` does: join an open run with further workers of this machine."""

from __future__ import annotations

import os
import re
import socket

from crawlhouse.actions.crawl import worker_log
from crawlhouse.actions.runs import runs_of
from crawlhouse.output.console import progress_line, say, write_line
from schemas.config.settings import Settings, make_home
from schemas.errors import ConfigError, ConflictError
from storage.ledger.ledger import Ledger, open_ledger

WORKER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
MAX_MACHINE_CHARACTERS = 20  # of the machine's name in a worker's name, which has 40 characters at most


def join_run(settings: Settings, reference: str, worker: str | None, workers: int) -> None:
    """Fetch with `workers` workers, or with the one named `worker`, until the run has nothing left. Raises what the run raises."""
    from spiders.progress import ProgressLine
    from spiders.run import fetch_all

    names = _names(worker, workers)
    ledger = open_ledger(settings)
    try:
        crawl_run = open_run(ledger, reference)
    finally:
        ledger.close()
    make_home(settings)
    say(f"{', '.join(names)}: fetching for {crawl_run}.")
    line = ProgressLine()
    with worker_log(settings, f"fetch-{names[0]}") as log, progress_line() as update:
        every = fetch_all(crawl_run, names, settings, lambda state: update(line.text(state)), log)
    for statistics in every:
        write_line(f"{statistics.worker}: {statistics.text()}")


def open_run(ledger: Ledger, reference: str) -> str:
    """The one open run of a name, which is a run's or a crawl's. Raises NotFoundError, and ConflictError if none or several are open."""
    named = runs_of(ledger, reference)
    still_open = [run.crawl_run for run in ledger.crawl_runs(state="open") if run.crawl_run in named]
    if not still_open:
        raise ConflictError(f"{reference} has no open run to join. `crawlhouse crawl` or the crawl's DAG begins one.")
    if len(still_open) > 1:
        raise ConflictError(f"{reference} has several open runs; name one of them: {', '.join(still_open)}.")
    return still_open[0]


def _names(worker: str | None, workers: int) -> list[str]:
    if worker is None:
        machine = re.sub(r"[^a-z0-9]+", "-", socket.gethostname().lower()).strip("-")[:MAX_MACHINE_CHARACTERS] or "machine"
        return [f"{machine}-{os.getpid()}-{number}" for number in range(1, workers + 1)]
    if workers > 1:
        raise ConfigError("--worker names one worker; leave out --workers, or the name.")
    if not WORKER.fullmatch(worker):
        raise ConfigError(f"{worker!r} is not a worker's name: letters, digits, '.', '_' and '-', 40 at most.")
    return [worker]
