"""What `crawlhouse gate` does: list what the gate holds back, and publish or discard it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

from crawlhouse.output.accounting import show_report
from crawlhouse.output.console import progress_line, say, show, table, write_json
from crawlhouse.output.row_formats import LinesFormat, json_value
from processing.accept import accept
from schemas.config.settings import Settings
from schemas.numbers import plural
from schemas.printable import printable_json
from storage.ledger.held import Held, discard_held, list_held
from storage.ledger.ledger import open_ledger


def show_held(settings: Settings, crawl: str | None, form: LinesFormat) -> None:
    """Print what is or was held back."""
    ledger = open_ledger(settings)
    try:
        held = list_held(ledger.database, crawl)
    finally:
        ledger.close()
    if form is LinesFormat.JSON:
        write_json([_plain(one) for one in held])
    elif form is LinesFormat.JSONL:
        sys.stdout.writelines(printable_json(_plain(one)) + "\n" for one in held)
    elif not held:
        say("Nothing is held back.")
    else:
        rows = [(one.crawl_run, one.dataset, one.decision or "waits", one.decision_reason or one.reason) for one in held]
        show(table("", ("crawl run", "dataset", "decision", "why"), rows))


def accept_rows(settings: Settings, crawl_run: str, dataset: str | None, who: str, reason: str) -> None:
    """Publish what is held back of a crawl run, and print the accounting. Raises what `accept` raises."""
    with progress_line() as update:
        accepted = accept(crawl_run, dataset, who, reason, settings, update)
    if accepted.report is None:
        one = accepted.before[0]
        say(f"{', '.join(accepted.datasets)} of {crawl_run}: accepted already, by {one.decided_by}. Nothing to do.")
        return
    show_report(accepted.report)
    say(f"The rows of {', '.join(accepted.datasets)} of {crawl_run} are published.")


def discard_rows(settings: Settings, crawl_run: str, dataset: str | None, who: str, reason: str) -> None:
    """Decide that rows are never published. Raises NotFoundError where nothing waits."""
    ledger = open_ledger(settings)
    try:
        count = discard_held(ledger.database, crawl_run, dataset, who, reason)
    finally:
        ledger.close()
    say(f"The rows of {plural(count, 'dataset')} of {crawl_run} are discarded.")


def _plain(held: Held) -> dict[str, Any]:  # Any: a text
    return {name: json_value(value) for name, value in asdict(held).items()}
