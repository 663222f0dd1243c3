"""DAGs of crawls whose file is gone or has a mistake, as long as they have an unfinished run.

Without its DAG an Airflow run would stay "running" for ever: none of its tasks would start or fail. With it, the run is finished with
the configuration that it was planned with.
"""

from __future__ import annotations

import logging

from airflow.sdk import DAG, get_parsing_context

from dags.crawl import crawl_dag
from dags.loading import build, crawl_files, load_dags, placeholder_crawl
from dags.process import process_dag
from schemas.config.settings import load_settings
from schemas.errors import CrawlhouseError

LOG = logging.getLogger("dags.unfinished")  # Airflow gives this module another name


def unfinished_dags() -> dict[str, DAG]:
    """The DAGs of crawls without a file that have an unfinished run."""
    if get_parsing_context().dag_id is not None:  # this is the process of a task
        return {**load_dags("crawl", crawl_dag)[0], **load_dags("process", process_dag)[0]}
    settings = load_settings()
    if not settings.database and not (settings.home / "frontier.sqlite").exists():
        return {}
    from storage.ledger.history import unfinished_crawls

    try:
        names = unfinished_crawls(settings) - crawl_files(settings.crawls)[0].keys()
    except CrawlhouseError as error:
        LOG.warning("%s", error)
        return {}
    crawls = [placeholder_crawl(name) for name in sorted(names)]
    return {**build(crawl_dag, crawls)[0], **build(process_dag, crawls)[0]}


if not __package__:
    globals().update(unfinished_dags())
