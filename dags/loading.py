"""Builds the DAGs of the crawls, each on its own: a mistake in one crawl file removes no other crawl's DAG."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from airflow.sdk import DAG, get_parsing_context

from schemas.config.crawl import Budgets, Crawl
from schemas.config.crawl_file import read_crawl, read_crawls
from schemas.config.settings import load_settings
from schemas.errors import CrawlhouseError

LONGEST_RUN_MINUTES = 30 * 24 * 60  # a month: the time limit of a run whose own limit is not known, since its file is gone
BuildDag = Callable[[Crawl], DAG]


def load_dags(kind: str, make: BuildDag) -> tuple[dict[str, DAG], dict[str, Exception]]:
    """The DAGs `<kind>_<crawl>` of all crawl files without mistakes, and for each crawl whose DAG could not be built, the error.

    In the process of a task only its own DAG is built, even if the crawl's file is missing or has a mistake: the run continues with the
    configuration that it was planned with, which is in the database, and a task that needs the file fails with a sentence about it.
    """
    folder = load_settings().crawls
    wanted = get_parsing_context().dag_id
    if wanted is None:
        return build(make, list(crawl_files(folder)[0].values()))
    name = wanted.removeprefix(f"{kind}_")
    return build(make, [_crawl_or_placeholder(name, folder)] if name != wanted else [])


@lru_cache(maxsize=1)
def crawl_files(folder: Path) -> tuple[dict[str, Crawl], dict[str, CrawlhouseError]]:
    """All crawls of the folder, and the errors of the broken ones. They are read once per process; Airflow has one for each DAG file."""
    return read_crawls(folder)


def build(make: BuildDag, crawls: list[Crawl]) -> tuple[dict[str, DAG], dict[str, Exception]]:
    """A DAG for each crawl, and the errors. The keys have a space in them, so that they cannot replace another name of the module."""
    dags: dict[str, DAG] = {}
    broken: dict[str, Exception] = {}
    for crawl in crawls:
        try:
            dag = make(crawl)
        except Exception as error:  # whatever it is, the other crawls keep their DAGs
            broken[crawl.name] = error
        else:
            dags[f"DAG {dag.dag_id}"] = dag
    return dags, broken


def placeholder_crawl(name: str) -> Crawl:
    """A crawl of which only the name is known: for the DAG of a run whose crawl file was removed after the run was planned."""
    description = f"The crawl file of {name} is missing or has a mistake. Runs that were planned before are finished."
    return Crawl.model_construct(name=name, description=description, budgets=Budgets(max_minutes=LONGEST_RUN_MINUTES))


def _crawl_or_placeholder(name: str, folder: Path) -> Crawl:
    """The crawl as this machine's file has it, or as its newest run was planned: a machine with only workers may have no crawl files."""
    try:
        return read_crawl(folder / f"{name}.yaml")
    except CrawlhouseError:
        return _planned_crawl(name) or placeholder_crawl(name)


def _planned_crawl(name: str) -> Crawl | None:
    from storage.ledger.ledger import open_ledger

    try:
        ledger = open_ledger(load_settings())
    except CrawlhouseError:  # a task that needs the database fails with it, and is retried
        return None
    try:
        return ledger.latest_crawl(name)
    finally:
        ledger.close()
