"""A selection of URLs as conditions on the frontier's tables."""

from __future__ import annotations

import re

from sqlalchemy import ColumnElement, case, select

from schemas.errors import ConfigError
from storage.database.frontier_tables import HOSTS, URLS
from storage.frontier.admin.selection import Selection, UrlState
from storage.urls.host_key import parse_host


def state_column(now: float) -> ColumnElement[str]:
    """The state of a row of `urls`."""
    urls = URLS.c
    return case(
        (urls.held == UrlState.DROPPED.value, UrlState.DROPPED.value),
        (urls.held == UrlState.PAUSED.value, UrlState.PAUSED.value),
        (urls.run_no.is_not(None), UrlState.WAITING.value),
        (urls.due_at.is_(None), UrlState.FINISHED.value),
        (urls.due_at <= now, UrlState.DUE.value),
        else_=UrlState.SCHEDULED.value,
    )


def conditions(selection: Selection, now: float) -> list[ColumnElement[bool]]:
    """The selection as conditions on `urls`. Raises ConfigError for a bad pattern."""
    given: list[ColumnElement[bool]] = []
    equal = {URLS.c.crawl: selection.crawl, URLS.c.last_outcome: selection.outcome, URLS.c.last_reason: selection.reason}
    given += [column == value for column, value in equal.items() if value is not None]
    if selection.host is not None:
        given.append(URLS.c.host_id.in_(select(HOSTS.c.host_id).where(HOSTS.c.host == _host(selection.host))))
    if selection.state is not None:
        given.append(state_column(now) == selection.state.value)
    if selection.glob is not None:
        given.append(URLS.c.url.regexp_match(_glob_as_regex(selection.glob)))
    if selection.regex is not None:
        given.append(URLS.c.url.regexp_match(_checked(selection.regex)))
    return given


def _host(text: str) -> str:
    try:
        return parse_host(text)
    except ValueError as error:
        raise ConfigError(f"{text!r} is not a host, like example.com or [2001:db8::1]:8080.") from error


def _glob_as_regex(glob: str) -> str:
    parts = {"*": ".*", "?": "."}
    return "^" + "".join(parts.get(character) or re.escape(character) for character in glob) + "$"


def _checked(regex: str) -> str:
    try:
        re.compile(regex)
    except re.error as error:
        raise ConfigError(f"{regex!r} is not a regular expression: {error}. Correct it, or use --glob with * and ?.") from error
    return regex
