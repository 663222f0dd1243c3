"""What `crawlhouse rollback` does: ask, take the rows of crawl runs out, and say what is held now."""

from __future__ import annotations

import sys

import typer

from crawlhouse.output.console import progress_line, say
from processing.reprocess.rollback import rollback
from schemas.config.settings import Settings
from storage.outages import patience, wait_out


def run_rollback(settings: Settings, run: str, who: str, reason: str, *, confirmed: bool, for_good: bool) -> None:
    """Take the rows of a run out. Raises what `processing.reprocess.rollback` raises."""
    if sys.stdin.isatty() and not confirmed:
        typer.confirm(f"Take the rows of {run} out of every table?", abort=True)
    with progress_line() as update, patience(settings):
        done = wait_out(rollback, run, who, reason, settings, update, for_good)
    names = ", ".join(done.crawl_runs)
    if not done.is_new:
        say(f"{names}: rolled back already. Nothing to do.")
        return
    say(f"The rows of {names} are taken out ({done.report.process_run}). Held: {', '.join(done.datasets)}.")
    if for_good:
        say("What has no segments any more cannot be made again: `crawlhouse gate discard` leaves it out.")
    say("`crawlhouse reprocess` makes them again by today's rules; `crawlhouse gate accept` publishes them, `gate discard` never does.")
