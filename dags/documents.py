"""What Airflow shows of a crawl beside its tasks: what it fetches, who looks after it, links to crawlhouse's own pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from airflow.sdk import DAG, BaseOperatorLink

from schemas.config.crawl import Crawl

NAMED = 5  # seeds


def document(crawl: Crawl, text: str) -> str:
    """The document of one of a crawl's DAGs, in Markdown: the crawl's own, then what the DAG does."""
    facts = [
        f"[What became of its runs]({page_link('crawls', crawl.name)})",
        f"Seeds: {_seeds(crawl)}",
        f"Datasets: {', '.join(f'`{name}`' for name in crawl.datasets)}",
    ]
    if crawl.owner:
        facts.append(f"Owner: {_code(crawl.owner)}")
    if crawl.notify:
        facts.append(f"Told when something is wrong: {', '.join(f'`{one.channel}`' for one in crawl.notify)}")
    return "\n\n".join(part for part in (crawl.description, "\n".join(f"- {fact}" for fact in facts), text) if part)


def owner(crawl: Crawl) -> dict[str, str]:
    """`owner` for the tasks of a DAG. Without an owner it is Airflow's own name."""
    return {"owner": _owner(crawl)} if crawl.owner else {}


def owner_links(crawl: Crawl) -> dict[str, str]:
    """The link of an owner that is an e-mail address or a URL."""
    name = _owner(crawl)
    if name.startswith(("http://", "https://")):
        return {name: name}
    return {name: f"mailto:{quote(name, safe='@+')}"} if "@" in name and " " not in name and "://" not in name else {}


def _owner(crawl: Crawl) -> str:
    return crawl.owner.replace(",", " ")  # Airflow takes a comma for a list


def _seeds(crawl: Crawl) -> str:
    named = [_code(seed.url) for seed in crawl.seeds[:NAMED]]
    if len(crawl.seeds) > NAMED:
        named.append(f"{len(crawl.seeds) - NAMED:,} more")
    if crawl.seeds_file is not None:
        named.append(f"those of {_code(crawl.seeds_file.key)}")
    return ", ".join(named) or "of its spider"


def _code(text: str) -> str:
    """A text in which nothing is Markdown."""
    return f"`{text.replace('`', ' ')}`"


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
