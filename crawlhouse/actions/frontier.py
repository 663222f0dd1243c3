"""What `crawlhouse frontier` does: list URLs of the frontier, and change their state."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from dataclasses import asdict, fields
from datetime import UTC, datetime

from crawlhouse.output.console import counts_table, say, show, table, write_json
from crawlhouse.output.row_formats import ListFormat, csv_value, iso_time
from schemas.config.settings import Settings
from schemas.errors import ConfigError
from schemas.numbers import plural
from storage.frontier.admin.changes import UrlRow, open_frontier_admin
from storage.frontier.admin.selection import Change, Selection, UrlState

TIME_COLUMNS = ("due_at", "last_fetch")


def show_urls(settings: Settings, selection: Selection, limit: int, form: ListFormat) -> None:
    """Print up to `limit` URLs of a selection, and the counts of all of them by state."""
    frontier = open_frontier_admin(settings)
    counts = frontier.counts(selection)
    rows = frontier.urls(selection, limit) if limit else []
    if form is ListFormat.CSV:
        _write_csv(rows)
    elif form is ListFormat.JSONL:
        for row in rows:
            write_json(url_row_json(row))
    elif form is ListFormat.JSON:
        by_state = [{"crawl": crawl, "state": state, "urls": number} for (crawl, state), number in counts.items()]
        write_json({"counts": by_state, "urls": [url_row_json(row) for row in rows]})
    else:
        _show(rows, counts)


def change_urls(settings: Settings, change: Change, selection: Selection) -> int:
    """Change the state of the URLs that match a selection. Returns how many. Raises ConfigError for a selection without a condition."""
    if selection.is_everything():
        raise ConfigError("Say which URLs: by --crawl, --host, --glob, --regex, --state, --outcome or --reason. `--glob '*'` means all.")
    return open_frontier_admin(settings).change(selection, change)


def url_row_json(row: UrlRow) -> dict[str, object]:
    """A URL with its times in ISO 8601."""
    return {name: iso_time(value) if name in TIME_COLUMNS else value for name, value in asdict(row).items()}


def _request_text(url: str, request: str) -> str:
    """A URL. For another method than GET, with the method before it and the request's body after it."""
    method, _, body = request.partition(" ")
    return url if method == "GET" else f"{method} {url} {body}".rstrip()


def _write_csv(rows: list[UrlRow]) -> None:
    writer = csv.DictWriter(sys.stdout, [field.name for field in fields(UrlRow)], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: csv_value(value) for name, value in url_row_json(row).items()} for row in rows)


def _show(rows: list[UrlRow], counts: dict[tuple[str, str], int]) -> None:
    columns = ("URL", "state", "crawl", "due", "last visit", "ended")
    if rows:
        show(table("", columns, map(_cells, rows), unfolded=[name for name in columns if name != "URL"]))
    by_state: Counter[str] = Counter()
    for (_, state), number in counts.items():
        by_state[state] += number
    total = sum(by_state.values())
    show(counts_table(plural(total, "URL"), {state.value: by_state[state] for state in UrlState if by_state[state]}))
    if rows and len(rows) < total:
        say(f"The first {plural(len(rows), 'URL')}. More with --rows N.")


def _cells(row: UrlRow) -> tuple[str, ...]:
    ended = " ".join(str(part) for part in (row.last_outcome, row.last_reason, row.last_status) if part is not None)
    return _request_text(row.url, row.request), row.state, row.crawl, _minute(row.due_at), _minute(row.last_fetch), ended


def _minute(seconds: float | None) -> str:
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"
