"""Adds the page `Crawls` to Airflow's UI, for users who may see the rest of the UI.

Every Airflow process imports this module, so it imports almost nothing. The pages are imported by their first request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from airflow.plugins_manager import AirflowPlugin

PREFIX = "/crawlhouse"
Message = MutableMapping[str, Any]  # Any: the ASGI specification's own


class _Pages:
    """The pages as an ASGI application, which is imported by the first request."""

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
        from crawlhouse.airflow.web.pages import app

        await app(scope, receive, send)


class CrawlhousePlugin(AirflowPlugin):
    """The pages, and the links to them in the UI."""

    name = "crawlhouse"
    fastapi_apps = [{"app": _Pages(), "url_prefix": PREFIX, "name": "crawlhouse"}]  # noqa: RUF012 Airflow's own shape
    external_views = [  # noqa: RUF012
        {"name": "Crawls", "href": f"{PREFIX}/", "destination": "nav", "url_route": "crawls", "nav_top_level": True},
        {"name": "Crawl", "href": f"{PREFIX}/dags/{{DAG_ID}}", "destination": "dag", "url_route": "crawl"},
        {"name": "Crawl run", "href": f"{PREFIX}/dags/{{DAG_ID}}/runs/{{RUN_ID}}", "destination": "dag_run", "url_route": "crawl-run"},
    ]
