"""The SQL that selects rows of one table by host and time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from schemas.errors import ConfigError

NAME = re.compile(r"[a-z][a-z0-9_]*")
TIMES = {"runs": "ingested_at", "sightings": "coalesce(seen_at, gone_at)"}
FETCHED = "fetched_at"  # of all other tables
WITHOUT_HOSTS = frozenset({"runs", "sightings"})
WITHOUT_CRAWL = frozenset({"sightings"})
ARTICLES = "articles"  # the dataset of quarantined rows of earlier releases, which name none


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which rows of a table: of a host, fetched at that time or later, of a crawl, of a crawl run. None: of all."""

    host: str | None = None
    since: datetime | date | str | None = None
    crawl: str | None = None
    crawl_run: str | None = None


def select_table(name: str, wanted: RowFilter, dataset: str | None = None, columns: Sequence[str] | None = None) -> str:
    """The statement. Texts stand in it as literals, so that its rows can be streamed. Raises ConfigError for what no table can have."""
    selected = "*" if columns is None else ", ".join(map(_name, columns))
    return f"SELECT {selected} FROM {_name(name)}{where(name, wanted, dataset)}"  # noqa: S608 names are checked, the rest are literals


def where(name: str, wanted: RowFilter, dataset: str | None = None) -> str:
    """The WHERE clause of a table, empty for all rows. Raises ConfigError for a host of a table without hosts."""
    if wanted.host is not None and name in WITHOUT_HOSTS:
        raise ConfigError(f"The table {name} has no hosts. Leave `host` out.")
    conditions = []
    if wanted.host is not None:
        conditions.append(f"host = {_literal(wanted.host.lower())}")
    if wanted.since is not None:
        conditions.append(f"{TIMES.get(name, FETCHED)} >= CAST({_literal(_time(wanted.since))} AS TIMESTAMPTZ)")
    if dataset is not None:
        conditions.append(f"coalesce(dataset, '{ARTICLES}') = {_literal(dataset)}")
    if wanted.crawl is not None:
        of_crawl = f"crawl = {_literal(wanted.crawl)}"
        conditions.append(f"crawl_run IN (SELECT crawl_run FROM runs WHERE {of_crawl})" if name in WITHOUT_CRAWL else of_crawl)  # noqa: S608
    if wanted.crawl_run is not None:
        conditions.append(f"crawl_run = {_literal(wanted.crawl_run)}")
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _name(name: str) -> str:
    """A name of a table or column. Raises ConfigError for one that none has."""
    if not NAME.fullmatch(name):
        raise ConfigError(f"{name!r} names no table or column: a name is lower-case letters, digits and _. `crawlhouse tables` lists them.")
    return f'"{name}"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _time(since: datetime | date | str) -> str:
    return since if isinstance(since, str) else since.isoformat()
