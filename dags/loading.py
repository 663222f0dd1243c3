"""The DAGs of the crawls, each built on its own: what is wrong with one takes no other away."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from airflow.sdk import DAG, get_parsing_context

from schemas.config.crawl import Budgets, Crawl
from schemas.config.crawl_file import read_crawl, read_crawls
from schemas.config.settings import load_settings
from schemas.errors import CrawlhouseError

LONGEST_RUN_MINUTES = 30 * 24 * 60
BuildDag = Callable[[Crawl], DAG]


def load_dags(kind: str, make: BuildDag) -> tuple[dict[str, DAG], dict[str, Exception]]:
    """The DAGs `<kind>_<crawl>` of all crawl files without mistakes, and beside them, by crawl, why one could not be built.

    In the process of a task only its own DAG is built, and it is built whatever became of the crawl's file: a run goes on with the
    configuration that it was planned with, and a task that needs the file fails with a sentence about it.
    """
    folder = load_settings().crawls
    wanted = get_parsing_context().dag_id
    if wanted is None:
        return build(make, list(crawl_files(folder)[0].values()))
    name = wanted.removeprefix(f"{kind}_")
    return build(make, [_crawl_or_placeholder(name, folder)] if name != wanted else [])


@lru_cache(maxsize=1)
def crawl_files(folder: Path) -> tuple[dict[str, Crawl], dict[str, CrawlhouseError]]:
    """All crawls of the folder, and the errors of the broken ones; read once, for Airflow reads each DAG file in a process of its own."""
    return read_crawls(folder)


def build(make: BuildDag, crawls: list[Crawl]) -> tuple[dict[str, DAG], dict[str, Exception]]:
    """A DAG of each crawl by the name under which a module keeps it, which no other name of the module can be; and what failed."""
    dags: dict[str, DAG] = {}
    broken: dict[str, Exception] = {}
    for crawl in crawls:
        try:
            dag = make(crawl)
        except Exception as error:  # whatever it is, it costs this crawl alone
            broken[crawl.name] = error
        else:
            dags[f"DAG {dag.dag_id}"] = dag
    return dags, broken


def placeholder_crawl(name: str) -> Crawl:
    """A crawl of which only the name is known, for the DAG of a run that was planned when its file was still there."""
    description = f"The crawl file of {name} is missing or has a mistake; what was begun is brought to its end."
    return Crawl.model_construct(name=name, description=description, budgets=Budgets(max_minutes=LONGEST_RUN_MINUTES))


def _crawl_or_placeholder(name: str, folder: Path) -> Crawl:
    try:
        return read_crawl(folder / f"{name}.yaml")
    except CrawlhouseError:
        return placeholder_crawl(name)
