"""The page of hosts: what the frontier keeps of each, so that it is treated politely."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from crawlhouse.pages.site import REFRESH_SECONDS, Site, render
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.yaml_files.bounds import PINNED
from storage.database.engine import open_database
from storage.frontier.admin.examples import due_by_host, host_states, last_run_use, robots_states

SHOWN_HOSTS = 200


def render_hosts(settings: Settings, site: Site, crawl: str | None) -> str:
    """The page as HTML, of the hosts of a crawl or of all. Raises UnavailableError, StorageError."""
    now = time.time()
    database = open_database(settings.database_url("frontier"))
    try:
        rows = host_states(database, crawl, SHOWN_HOSTS)
        robots = robots_states(database, [str(row["host"]) for row in rows])
        due = due_by_host(database, crawl, now) if crawl else {}
        last = last_run_use(database, crawl) if crawl else None
    finally:
        database.close()
    shown = [
        {
            **row,
            "free_in": max(0.0, float(str(row["free_at"])) - now),
            "robots": robots.get(str(row["host"])),
            "due": due.get(int(str(row["host_id"]))),
            "used": last[1].get(int(str(row["host_id"]))) if last else None,
        }
        for row in rows
    ]
    refresh = REFRESH_SECONDS if any(row["leased"] for row in shown) else 0
    return render(
        "hosts.html",
        site,
        title="Hosts",
        place="hosts",
        rows=shown,
        crawl=crawl,
        budgets=Crawl.model_validate_json(last[0], context=PINNED).budgets if last else None,
        refresh=refresh,
        most=SHOWN_HOSTS,
        now_utc=datetime.now(UTC),
    )
