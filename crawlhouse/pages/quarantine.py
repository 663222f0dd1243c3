"""The page of rows in quarantine and of rows that the gate holds back: browse, look at one, decide."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from crawlhouse.pages.lake import LakeReader, read_lake
from crawlhouse.pages.site import REFRESH_SECONDS, Site, render
from processing.quarantine.selection import id_of
from schemas.config.settings import Settings
from schemas.errors import NotFoundError
from storage.database.engine import open_database
from storage.ledger.held import list_held

SHOWN_ROWS, SHOWN_DECISIONS = 100, 50
COLUMNS = (
    "crawl, coalesce(dataset, 'articles') AS dataset_name, rule, detail, url, title, fetched_at, warc_filename, warc_record_offset, "
    "dataset, position"
)
WHERE = (
    "list_contains($1, crawl) AND ($2 = '' OR crawl = $2) AND ($3 = '' OR coalesce(dataset, 'articles') = $3) "
    "AND ($4 = '' OR rule = $4) AND ($5 = '' OR contains(url, $5))"
)
ROWS = f"SELECT {COLUMNS} FROM quarantine WHERE {WHERE} ORDER BY fetched_at DESC, url LIMIT {SHOWN_ROWS}"  # noqa: S608 our own text
COUNTS = (
    f"SELECT crawl, coalesce(dataset, 'articles') AS dataset, rule, count(*) AS count FROM quarantine WHERE {WHERE} "  # noqa: S608 our own text
    "GROUP BY ALL ORDER BY count DESC LIMIT 100"
)
CRAWLS = "SELECT crawl FROM quarantine UNION SELECT crawl FROM runs"
ONE = "SELECT * FROM quarantine WHERE warc_filename = $1 AND warc_record_offset = $2"
DECISIONS = f"""
SELECT process_run, any_value(kind) AS kind, any_value(crawl) AS crawl, max(ingested_at) AS decided_at, sum(records)::BIGINT AS records,
any_value(decided_by) AS who, any_value(decision_reason) AS why
FROM runs WHERE list_contains($1, crawl) AND kind IN ('release', 'retry', 'drop', 'accept')
GROUP BY process_run ORDER BY decided_at DESC LIMIT {SHOWN_DECISIONS}
"""  # noqa: S608 a number
NOT_SHOWN = frozenset({"minhash", "blocks", "row_json", "text", "chunks", "markdown"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows are shown; an empty text is any. `url` is a part of the URL."""

    crawl: str = ""
    dataset: str = ""
    rule: str = ""
    url: str = ""

    def parameters(self) -> tuple[str, str, str, str]:
        """The values of the query."""
        return self.crawl, self.dataset, self.rule, self.url


@dataclass(frozen=True, slots=True)
class Started:
    """A decision that was just made, and the DAG run that does it; both empty if there is none."""

    action: str = ""
    run: str = ""


def render_quarantine(
    settings: Settings,
    site: Site,
    wanted: Wanted,
    token: str,
    visible: Callable[[Collection[str]], Collection[str]],
    started: Started = Started(),
) -> str:
    """The page as HTML. `token` makes its forms valid. Raises UnavailableError, StorageError."""
    database = open_database(settings.database_url("frontier"))
    try:
        held = list_held(database)
    finally:
        database.close()
    with read_lake(settings) as lake:
        names = sorted(visible([*{row["crawl"] for row in lake.rows(CRAWLS)}, *{one.crawl for one in held}]))
        decisions = lake.rows(DECISIONS, names)
        rows = [{**row, "id": id_of(_place(row))} for row in lake.rows(ROWS, names, *wanted.parameters())]
        counts = lake.rows(COUNTS, names, *wanted.parameters())
        problem = lake.problem
    shown = [one for one in held if one.crawl in names]
    return render(
        "quarantine.html",
        site,
        title="Quarantine",
        place="quarantine",
        wanted=wanted,
        rows=rows,
        counts=counts,
        total=sum(row["count"] for row in counts),
        waiting=[one for one in shown if one.decision is None][::-1],
        decided=[one for one in shown if one.decision is not None][::-1][:SHOWN_DECISIONS],
        decisions=decisions,
        token=token,
        started=started,
        refresh=REFRESH_SECONDS if started.action else 0,
        problem=problem,
    )


def render_quarantined(settings: Settings, site: Site, name: str, offset: int, row_id: str, check: Callable[[str], None]) -> str:
    """The page of one row: its values, and the rule that it broke. `check` raises if the crawl may not be seen. Raises NotFoundError."""
    with read_lake(settings) as lake:
        row = _one(lake, name, offset, row_id)
    if row is None:
        raise NotFoundError(f"The row {row_id} is in quarantine no more. The table `runs` says who decided it.")
    check(row["crawl"])
    values: Mapping[str, Any] = json.loads(row["row_json"]) if row["row_json"] else {}  # Any: JSON
    facts = {key: value for key, value in row.items() if value is not None and key not in NOT_SHOWN}
    return render("quarantined.html", site, title=row["url"], place="quarantine", row=row, row_id=row_id, values=values, facts=facts)


def _one(lake: LakeReader, name: str, offset: int, row_id: str) -> Mapping[str, Any] | None:  # Any: a row
    return next((row for row in lake.rows(ONE, name, offset) if id_of(_place(row)) == row_id), None)


def _place(row: Mapping[str, Any]) -> tuple[str, int, str | None, int | None]:  # Any: a row
    return row["warc_filename"], row["warc_record_offset"], row["dataset"], row["position"]
