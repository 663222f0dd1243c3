"""Airflow's LocalExecutor. Its workers import what crawlhouse's tasks need before tasks are forked from them.

So the imports are done once, when the scheduler starts, instead of in every task. Great Expectations, which the gate needs, stays in a
process of its own, from which each gate's process is forked. Celery workers do the same (`crawlhouse.airflow.celery_worker`).
"""

from __future__ import annotations

import logging
from importlib import import_module

from airflow.executors import local_executor

from runtime.code_version import code_version

LOG = logging.getLogger(__name__)
NEEDED = (
    "processing.accept",
    "processing.announce",
    "processing.known.upkeep",
    "processing.stages",
    "processing.extract.checks.rule_check",
    "processing.extract.segment_rows",
    "processing.reprocess.again",
    "processing.reprocess.tasks",
    "schemas.config.crawl_file",
    "schemas.config.schedule",
    "spiders.replay.process",
    "spiders.run",
    "storage.frontier.admin.upkeep",
    "storage.lake.maintenance",
    "storage.ledger.history",
)


def start_judge_server() -> None:
    """Start the process from which those are forked that judge rows. It ends with this one."""
    try:
        from processing.expectations.judge_server import start_server

        start_server()
    except Exception:
        LOG.exception("The judge server cannot be started; each gate imports Great Expectations itself")


def prepare_tasks() -> None:
    """Import what tasks need. A module that cannot be imported fails the task that needs it, with its error.

    The version of the code is that of what is imported now, whatever is installed while the executor runs. To find it takes a task .2 s.
    """
    for name in NEEDED:
        try:
            import_module(name)
        except Exception:
            LOG.exception("%s cannot be imported; tasks that need it will fail", name)
    code_version()


class LocalExecutor(local_executor.LocalExecutor):
    """The class has the same name as Airflow's, because some of Airflow's checks look for that name."""

    def start(self) -> None:
        """Import, then start the workers."""
        if self.is_mp_using_fork:
            prepare_tasks()
        start_judge_server()
        super().start()
