"""All DAGs of crawlhouse in one dictionary, for a file in the DAG folder of an Airflow that exists already:

from dags.every import every_dag  # an airflow DAG file
globals().update(every_dag())
"""

from __future__ import annotations

import logging

from airflow.sdk import DAG

from dags.announce import announce_dags
from dags.crawl import crawl_dag
from dags.decide import decide_dags
from dags.loading import crawl_files, load_dags
from dags.maintain import maintenance_dags
from dags.process import process_dag
from dags.reprocess import reprocess_dag
from dags.unfinished import unfinished_dags
from dags.watch import watch_dags
from schemas.config.settings import load_settings

LOG = logging.getLogger(__name__)


def every_dag() -> dict[str, DAG]:
    """The DAGs of all crawl files, of unfinished crawls without one, of the maintenance, of Asset events, decisions and the watch.

    Crawl files with mistakes are logged as warnings: an error would remove the DAGs of all others too.
    """
    for problem in crawl_files(load_settings().crawls)[1].values():
        LOG.warning("%s", problem)
    dags: dict[str, DAG] = {}
    for kind, make in (("crawl", crawl_dag), ("process", process_dag), ("reprocess", reprocess_dag)):
        found, broken = load_dags(kind, make)
        dags |= found
        for name, error in broken.items():
            LOG.warning("%s: its DAG cannot be built: %r", name, error)
    return dags | unfinished_dags() | maintenance_dags() | announce_dags() | decide_dags() | watch_dags()
