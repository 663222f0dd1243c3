"""What the page of a crawl's DAG says of it: what it fetches, who looks after it, where its runs are."""

from __future__ import annotations

from urllib.parse import quote

from dags.links import page_link
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
