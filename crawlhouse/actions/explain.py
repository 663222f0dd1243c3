"""What `crawlhouse explain` does: for each crawl that knows a URL, its rules, its history and its published captures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from crawlhouse.output.console import say, show, table, write_json
from crawlhouse.output.row_formats import ReportFormat, cell_text, format_value, iso_time, json_value
from crawlhouse.reports.explanation import Rule, rules
from crawlhouse.reports.revisit import describe_hint_trust, describe_revisit_state
from crawlhouse.reports.url_report import CAPTURES
from crawlhouse.rows import Row
from crawlhouse.sql.query import open_lake_for_reading, read_rows
from schemas.config.crawl import Crawl
from schemas.config.crawl_file import read_crawls
from schemas.config.settings import Settings
from schemas.errors import ConfigError, NotFoundError
from schemas.numbers import plural
from spiders.schedule.state import RevisitState
from spiders.urls.canonical import canonicalize
from storage.frontier.admin.history import UrlHistory, known_crawls, read_history, read_post_histories

TIME_COLUMNS = ("first_seen", "due_at", "captured_at", "fetched_at")
CAPTURE_COLUMNS = (
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


@dataclass(frozen=True, slots=True)
class CrawlExplanation:
    """What one crawl knows of a URL. `history` is of its GET, `posts` are of its POSTs; `rules` is empty if the crawl has no file."""

    crawl: str
    rules: list[Rule]
    history: UrlHistory | None
    posts: list[UrlHistory]

    def is_about_it(self) -> bool:
        """Whether the crawl knows the URL, or has its host in scope."""
        in_scope = any(rule.rule in {"scope", "scope.hosts"} and rule.says == "allows" for rule in self.rules)
        return self.history is not None or bool(self.posts) or in_scope


def explain_url(settings: Settings, url: str, crawl: str | None, form: ReportFormat) -> None:
    """Print what is known of a URL, for one crawl or for all that know it. Raises ConfigError, NotFoundError."""
    canonical = canonicalize(url)
    if canonical is None:
        raise ConfigError(f"{url!r} is not an http or https URL that can be fetched.")
    every = [_explain_in_crawl(settings, name, config, canonical) for name, config in _crawls(settings, crawl).items()]
    explanations = [one for one in every if crawl or one.is_about_it()]
    if not explanations:
        raise NotFoundError(f"No crawl knows {canonical}, and none has its host in scope. --crawl NAME says why for one crawl.")
    captures = _published_captures(settings, canonical)
    if form is ReportFormat.JSON:
        write_json({"url": canonical, "crawls": [_crawl_json(one) for one in explanations], "captures": json_value(captures)})
        return
    for one in explanations:
        _show(canonical, one)
    _show_captures(captures)


def _crawls(settings: Settings, wanted: str | None) -> dict[str, Crawl | None]:
    """The crawls to ask, each with its configuration if it still has a file. Raises NotFoundError."""
    files, broken = read_crawls(settings.crawls)
    for error in broken.values():
        say(str(error))
    names = sorted({*files, *known_crawls(settings)})
    if wanted is not None and wanted not in names:
        raise NotFoundError(f"There is no crawl {wanted!r}. There are: {', '.join(names) or 'none'}.")
    return {name: files.get(name) for name in names if wanted in {None, name}}


def _explain_in_crawl(settings: Settings, name: str, config: Crawl | None, url: str) -> CrawlExplanation:
    history = read_history(settings, name, url)
    posts = read_post_histories(settings, name, url) if config is None or config.has_own_spider() else []
    any_history = history or next(iter(posts), None)
    return CrawlExplanation(name, rules(config, url, any_history, settings) if config else [], history, posts)


def _published_captures(settings: Settings, url: str) -> list[Row]:
    """The published captures, newest first. None if there is no lake yet."""
    try:
        rows = read_rows(open_lake_for_reading(settings), CAPTURES, url)
    except NotFoundError:
        return []
    return [{name: row[name] for name in CAPTURE_COLUMNS if name in row} for row in rows]


def _crawl_json(one: CrawlExplanation) -> dict[str, Any]:  # Any: parts of several types
    history = _history_json(one.history) if one.history else None
    posts = [_history_json(post) for post in one.posts]
    return {"crawl": one.crawl, "rules": [asdict(rule) for rule in one.rules], "history": history, "posts": posts}


def _history_json(given: UrlHistory) -> dict[str, Any]:  # Any: parts of several types
    history = asdict(given)
    for part in (history["notes"], history["capture"] or {}, *history["visits"]):
        part.update({name: iso_time(part[name]) for name in TIME_COLUMNS if name in part})
    return history


def _show(url: str, one: CrawlExplanation) -> None:
    if one.rules:
        rows = [(rule.rule, rule.says, rule.why) for rule in one.rules]
        show(table(f"{url} in {one.crawl}", ("rule", "says", "why"), rows))
    else:
        show(f"{url} in {one.crawl}: this crawl has no file any more, so its rules are not known")
    for history in [one.history, *one.posts] if one.history else one.posts:
        _show_history(history)
    if one.history is None:
        show("It was never asked for by GET." if one.posts else "It was never found.")


def _show_history(history: UrlHistory) -> None:
    request = "" if history.request == "GET" else f", asked for by {history.request}"
    show(table(f"In the frontier{request}", ("", ""), _facts(history), header=False))
    visits = [(_when(v.fetched_at), v.outcome, v.reason or "", cell_text(v.status), v.crawl_run) for v in history.visits]
    if visits:
        show(table("Visits", ("when", "outcome", "reason", "status", "run"), visits))


def _facts(history: UrlHistory) -> list[Sequence[str]]:
    notes, capture = history.notes, history.capture
    waits = f" in {history.waits_in}" + (f", its host held by {history.worker}" if history.worker else "") if history.waits_in else ""
    facts: list[Sequence[str]] = [
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
    """A time for people. Empty if there is none."""
    return "" if seconds is None else format_value(datetime.fromtimestamp(seconds, UTC))


def _why_due(notes: dict[str, Any]) -> str | None:
    if notes["hinted_by"]:
        return f"the {notes['hinted_by']} says that it was modified"
    return describe_revisit_state(RevisitState.from_text(notes["revisit"])) if notes["revisit"] else None


def _show_captures(captures: list[Row]) -> None:
    if not captures:
        show("Nothing of it is published.")
        return
    rows = [
        (
            format_value(row["fetched_at"]) + _by_post(row),
            cell_text(row["outcome"]),
            cell_text(row["reason"]),
            f"{row['warc_filename']} at {row['warc_record_offset']:,}",
        )
        for row in captures
    ]
    show(table("Published", ("fetched", "outcome", "reason", "record"), rows))


def _by_post(row: Row) -> str:
    return f" by {row['request_method']} {cell_text(row['request_body'])}" if row.get("request_method") else ""
