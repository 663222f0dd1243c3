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
        return page_link("dags", ti_key.dag_id, "runs", ti_key.run_id)


def page_link(*path: str) -> str:
    """The link to one of crawlhouse's pages inside Airflow's UI."""
    from airflow.configuration import conf

    base = urlsplit(conf.get("api", "base_url", fallback="") or "").path.rstrip("/")
    return "/".join([f"{base}/plugin/crawls/crawlhouse", *(quote(part, safe="") for part in path)])


def add_links(dag: DAG) -> None:
    """Give every task of a crawl's DAG the link to its crawl run."""
    for one in dag.tasks:
        one.operator_extra_links = (CrawlRunLink(),)
