"""Airflow's LocalExecutor, whose workers have imported what our tasks need before they are forked.

Each task is a fork of a worker, so the imports cost the scheduler's start once instead of every task.
"""

from __future__ import annotations

import logging
from importlib import import_module

from airflow.executors import local_executor

LOG = logging.getLogger(__name__)
NEEDED = (
    "processing.stages",
    "processing.extract.rule_check",
    "schemas.config.crawl_file",
    "spiders.run",
    "storage.lake.maintenance",
    "storage.ledger.history",
)


class LocalExecutor(local_executor.LocalExecutor):
    """It has the name of Airflow's, which some of Airflow's checks look for."""

    def start(self) -> None:
        """Import, then start the workers. What cannot be imported is left to the task that needs it, which says so."""
        if self.is_mp_using_fork:
            for name in NEEDED:
                try:
                    import_module(name)
                except Exception:
                    LOG.exception("%s cannot be imported; tasks that need it will fail", name)
        super().start()
