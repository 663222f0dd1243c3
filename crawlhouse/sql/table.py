"""The SQL that selects rows of one table by host and time."""

from __future__ import annotations

import re
from datetime import date, datetime

from schemas.errors import ConfigError

NAME = re.compile(r"[a-z][a-z0-9_]*")
TIMES = {"runs": "ingested_at", "sightings": "coalesce(seen_at, gone_at)"}
FETCHED = "fetched_at"  # of all other tables
WITHOUT_HOSTS = frozenset({"runs", "sightings"})
ARTICLES = "articles"  # the dataset of quarantined rows of earlier releases, which name none


def select_table(name: str, host: str | None = None, since: datetime | date | str | None = None, dataset: str | None = None) -> str:
    """The statement. Texts stand in it as literals, so that its rows can be streamed. Raises ConfigError for what no table can have."""
    if not NAME.fullmatch(name):
        raise ConfigError(f"{name!r} names no table: a name is lower-case letters, digits and _. `crawlhouse tables` lists them.")
    if host is not None and name in WITHOUT_HOSTS:
        raise ConfigError(f"The table {name} has no hosts. Leave `host` out.")
    conditions = []
    if host is not None:
        conditions.append(f"host = {_literal(host.lower())}")
    if since is not None:
        conditions.append(f"{TIMES.get(name, FETCHED)} >= CAST({_literal(_time(since))} AS TIMESTAMPTZ)")
    if dataset is not None:
        conditions.append(f"coalesce(dataset, '{ARTICLES}') = {_literal(dataset)}")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f'SELECT * FROM "{name}"{where}'  # noqa: S608 the name is checked, the rest are literals


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _time(since: datetime | date | str) -> str:
    return since if isinstance(since, str) else since.isoformat()
