"""`crawlhouse explain`: why a URL is fetched or not, and all that happened to it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawlhouse.commands.frontier import iso_time
from crawlhouse.output.console import say, show, write_json
from crawlhouse.output.row_formats import ReportFormat, cell_text, format_value, json_value
from crawlhouse.reports.revisit import describe_hint_trust, describe_revisit_state, plural
from schemas.errors import ConfigError, NotFoundError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from crawlhouse.reports.explanation import Rule
    from crawlhouse.rows import Row
    from schemas.config.crawl import Crawl
    from schemas.config.settings import Settings
    from storage.frontier.admin.history import UrlHistory

EXAMPLES = """
Examples:

  crawlhouse explain https://example.com/news/one

  crawlhouse explain https://example.com/news/one --crawl my_news --format json
"""
TIME_COLUMNS = ("first_seen", "due_at", "captured_at", "fetched_at")
OUTCOME = (
    "fetched_at",
    "request_method",
    "request_body",
    "fetch_status",
    "outcome",
    "reason",
    "crawl_run",
    "warc_filename",
    "warc_record_offset",
    "warc_record_length",
)


def explain(
    url: Annotated[str, typer.Argument(metavar="URL")],
    crawl: Annotated[str | None, typer.Option("--crawl", "-c", help="Only this crawl; else all that know the URL or its host.")] = None,
    form: Annotated[ReportFormat, typer.Option("--format", "-f", help="For people or for programs.")] = ReportFormat.TABLE,
) -> None:
    """Explain a URL: which rules apply to it, how it was found, what became of it in each run, when it is due, and what was published.

    Nothing is fetched: robots.txt is taken as it is cached.
    """
    from schemas.config.settings import load_settings
    from spiders.urls.canonical import canonicalize

    settings = load_settings()
    canonical = canonicalize(url)
    if canonical is None:
        raise ConfigError(f"{url!r} is no http or https URL that can be fetched.")
    found = [_explain_in_crawl(settings, name, config, canonical) for name, config in _crawls(settings, crawl).items()]
    shown = [one for one in found if crawl or one["history"] or one["posts"] or _is_host_in_scope(one)]
    if not shown:
        raise NotFoundError(f"No crawl knows {canonical}, and none has its host in scope. --crawl NAME says why for one crawl.")
    outcomes = _outcomes(settings, canonical)
    if form is ReportFormat.JSON:
        write_json({"url": canonical, "crawls": [_crawl_json(one) for one in shown], "captures": json_value(outcomes)})
        return
    for one in shown:
        _show(canonical, one["crawl"], one["rules"], one["history"], one["posts"])
    _show_outcomes(outcomes)


def _crawls(settings: Settings, wanted: str | None) -> dict[str, Crawl | None]:
    """The crawls to ask, with their configuration where there still is a file. Raises NotFoundError."""
    from schemas.config.crawl_file import read_crawls
    from storage.frontier.admin.history import known_crawls

    files, broken = read_crawls(settings.crawls)
    for error in broken.values():
        say(str(error))
    names = sorted({*files, *known_crawls(settings)})
    if wanted is not None and wanted not in names:
        raise NotFoundError(f"There is no crawl {wanted!r}. There are: {', '.join(names) or 'none'}.")
    return {name: files.get(name) for name in names if wanted in {None, name}}


def _explain_in_crawl(settings: Settings, name: str, config: Crawl | None, url: str) -> dict[str, Any]:  # Any: parts of several types
    from crawlhouse.reports.explanation import rules
    from storage.frontier.admin.history import read_history, read_posts

    history = read_history(settings, name, url)
    posts = read_posts(settings, name, url) if config is None or config.has_own_spider() else []
    about = history or next(iter(posts), None)
    return {"crawl": name, "rules": rules(config, url, about, settings) if config else [], "history": history, "posts": posts}


def _is_host_in_scope(one: dict[str, Any]) -> bool:
    return any(rule.rule in {"scope", "scope.hosts"} and rule.says == "allows" for rule in one["rules"])


def _outcomes(settings: Settings, url: str) -> list[Row]:
    """The captures as published, newest first; none where there is no lake yet."""
    from crawlhouse.reports.url_report import CAPTURES
    from crawlhouse.sql.query import open_lake_for_reading, read_rows

    try:
        rows = read_rows(open_lake_for_reading(settings), CAPTURES, url)
    except NotFoundError:
        return []
    return [{name: row[name] for name in OUTCOME if name in row} for row in rows]


def _crawl_json(one: dict[str, Any]) -> dict[str, Any]:
    history = _history_json(one["history"]) if one["history"] else None
    posts = [_history_json(post) for post in one["posts"]]
    return {"crawl": one["crawl"], "rules": [asdict(rule) for rule in one["rules"]], "history": history, "posts": posts}


def _history_json(given: UrlHistory) -> dict[str, Any]:  # Any: parts of several types
    history = asdict(given)
    for part in (history["notes"], history["capture"] or {}, *history["visits"]):
        part.update({name: iso_time(part[name]) for name in TIME_COLUMNS if name in part})
    return history


def _show(url: str, crawl: str, rules: list[Rule], history: UrlHistory | None, posts: list[UrlHistory]) -> None:
    if rules:
        show(_table(f"{url} in {crawl}", ("rule", "says", "why"), [(rule.rule, rule.says, rule.why) for rule in rules]))
    else:
        show(f"{url} in {crawl}, which has no file any more: its rules are gone")
    for one in [history, *posts] if history else posts:
        _show_history(one)
    if history is None:
        show("It was never asked for by GET." if posts else "It was never found.")


def _show_history(history: UrlHistory) -> None:
    asked = "" if history.request == "GET" else f", asked for by {history.request}"
    show(_table(f"In the frontier{asked}", ("", ""), _facts(history)))
    visits = [(_when(v.fetched_at), v.outcome, v.reason or "", cell_text(v.status), v.crawl_run) for v in history.visits]
    if visits:
        show(_table("Visits", ("when", "outcome", "reason", "status", "run"), visits))


def _facts(history: UrlHistory) -> list[tuple[str, ...]]:
    notes, capture = history.notes, history.capture
    waits = f" in {history.waits_in}" + (f", its host held by {history.worker}" if history.worker else "") if history.waits_in else ""
    facts: list[tuple[str, ...]] = [
        ("state", history.state + waits),
        ("kind", f"{notes['kind']}, {plural(notes['depth'], 'link')} from a seed"),
    ]
    facts.append(("found", f"{_when(notes['first_seen'])}, " + (f"on {' <- '.join(history.via)}" if history.via else "as a seed")))
    facts.append(("due", _when(notes["due_at"]) or "never again"))
    facts += [("because", because)] if (because := _why_due(notes)) else []
    facts += [("hints", describe_hint_trust(source, trust)) for source, trust in history.trust.items()]
    facts += [(name, cell_text(notes[name])) for name in ("fails", "etag", "last_modified", "hint_title", "hint_source") if notes[name]]
    if capture:
        facts.append(("last capture", f"{capture['capture_filename']} at {capture['capture_offset']:,}, {_when(capture['captured_at'])}"))
    return facts


def _when(seconds: float | None) -> str:
    """A iso_time for people; empty for none."""
    return "" if seconds is None else format_value(datetime.fromtimestamp(seconds, UTC))


def _why_due(notes: dict[str, Any]) -> str | None:
    from spiders.schedule.revisit import RevisitState

    if notes["hinted_by"]:
        return f"the {notes['hinted_by']} says that it was modified"
    return describe_revisit_state(RevisitState.from_text(notes["revisit"])) if notes["revisit"] else None


def _show_outcomes(outcomes: list[Row]) -> None:
    if not outcomes:
        show("Nothing of it is published.")
        return
    rows = [
        (
            format_value(row["fetched_at"]) + _by_post(row),
            cell_text(row["outcome"]),
            cell_text(row["reason"]),
            f"{row['warc_filename']} at {row['warc_record_offset']:,}",
        )
        for row in outcomes
    ]
    show(_table("Published", ("fetched", "outcome", "reason", "record"), rows))


def _by_post(row: Row) -> str:
    return f" by {row['request_method']} {cell_text(row['request_body'])}" if row.get("request_method") else ""


def _table(title: str, names: tuple[str, ...], rows: list[Any]) -> RenderableType:  # Any: tuples of as many texts as names
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD if names[0] else None, show_header=bool(names[0]), pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table
