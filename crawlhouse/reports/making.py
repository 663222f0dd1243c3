"""Under which code and which rules a row was made, and what of them is different today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crawlhouse.reports.url_report import UrlReport
from runtime.code_version import code_version
from schemas.config.crawl import Crawl
from schemas.config.crawl_file import find_crawl
from schemas.config.settings import Settings
from schemas.errors import ConfigError, NotFoundError
from storage.ledger.origins import RunOrigin, read_origin

# What a crawl's file says of how rows are made. The rest of it says what is fetched, and when.
RULES = ("articles", "datasets", "expectations", "drift", "politeness", "budgets")


@dataclass(frozen=True, slots=True)
class Making:
    """The process run that made a row. `kind` is as in `runs`, `decided_by` and `reason` are of one that somebody decided on.

    `code_changed`: today's code is another. `changed` are the parts of the crawl's file that are different today, like `articles.rules`;
    None if the file is gone.
    """

    process_run: str
    kind: str
    published_at: datetime | None
    code_version: str
    code_changed: bool
    config_hash: str
    changed: tuple[str, ...] | None
    decided_by: str | None
    reason: str | None

    def lines(self) -> list[tuple[str, object]]:
        """The same for people."""
        rules = "as today" if not self.changed else f"changed since: {', '.join(self.changed)}"
        rules = "the crawl's file is gone" if self.changed is None else rules
        who = f"{self.decided_by}: {self.reason}" if self.decided_by and self.reason else self.decided_by
        code = f"{self.code_version} ({'today it is another' if self.code_changed else 'as today'})"
        return [
            ("process run", f"{self.process_run} ({self.kind})"),
            ("published at", self.published_at),
            ("decided by", who),
            ("code", code),
            ("rules", f"{self.config_hash} ({rules})"),
        ]


def making_of(settings: Settings, report: UrlReport) -> Making | None:
    """How the reported row was made; None if the database does not know its process run."""
    row = report.article or report.quarantined or report.outcome() or report.captures[0]
    run = read_origin(settings, row["process_run"])
    if run is None:
        return None
    replacement = run.replacement
    return Making(
        row["process_run"],
        str(run.kind),
        run.published_at,
        run.code_version,
        run.code_version != code_version(),
        run.config_hash,
        _changed(run, settings),
        None if replacement is None else replacement.decided_by,
        None if replacement is None else replacement.reason,
    )


def _changed(run: RunOrigin, settings: Settings) -> tuple[str, ...] | None:
    try:
        today = find_crawl(run.crawl.name, settings.crawls)
    except (ConfigError, NotFoundError):
        return None
    return tuple(_differing(_rules(run.crawl), _rules(today)))


def _rules(crawl: Crawl) -> Mapping[str, Any]:  # Any: JSON
    return crawl.model_dump(mode="json", include=set(RULES))


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({*one, *other}):
        mine, theirs = one.get(name), other.get(name)
        if mine == theirs:
            continue
        if isinstance(mine, dict) and isinstance(theirs, dict):
            yield from (f"{name}.{part}" for part in sorted({*mine, *theirs}) if mine.get(part) != theirs.get(part))
        else:
            yield name
