"""Links from tasks to crawlhouse's own pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from airflow.sdk import DAG, BaseOperatorLink


class CrawlRunLink(BaseOperatorLink):
    """The page of the crawl run that a task's run planned or processed."""

    name = "Crawl run"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # Any: Airflow calls it with objects of several kinds
        """The page inside Airflow's UI. It finds the crawl run when it is opened."""
        from airflow.configuration import conf

        base = urlsplit(conf.get("api", "base_url", fallback="") or "").path.rstrip("/")
        page = f"crawlhouse/dags/{quote(ti_key.dag_id, safe='')}/runs/{quote(ti_key.run_id, safe='')}"
        return f"{base}/plugin/crawls/{page}"


def add_links(dag: DAG) -> None:
    """Give every task of a crawl's DAG the link to its crawl run."""
    for one in dag.tasks:
        one.operator_extra_links = (CrawlRunLink(),)
