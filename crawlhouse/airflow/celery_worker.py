"""Airflow's Celery configuration, and what a Celery worker does when it begins and when it is asked to end.

Before a worker that takes processing tasks forks its processes, it imports what these tasks need, and starts the process from which those
are forked that judge rows. Without that each task would import it again, which is most of the time of a small one.

Celery waits for its running tasks, and a fetch task may run for hours. So the spiders that the tasks started get SIGTERM: they register
what they have fetched, and end within ten seconds. Their tasks then end too, and run again on another worker. Use it by
AIRFLOW__CELERY__CELERY_CONFIG_OPTIONS=crawlhouse.airflow.celery_worker.CELERY_CONFIG.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

import psutil
from airflow.providers.celery.executors.default_celery import DEFAULT_CELERY_CONFIG
from celery.signals import worker_init, worker_shutting_down  # type: ignore[import-untyped]

NOT_PREPARED = frozenset({"fetch"})  # the queue without processing tasks
SPIDER = "spiders.worker"  # as in the command line of a spider's process
LOOK_SECONDS = 1.0  # a task that had just been taken may start its spider after the signal
LOG = logging.getLogger(__name__)

# A task that fails while the database is away must say so when it is back: Airflow would take it for queued for ten minutes.
WAIT_FOR_DATABASE = {
    "result_backend_always_retry": True,
    "result_backend_base_sleep_between_retries_ms": 500,
    "result_backend_max_sleep_between_retries_ms": 5_000,
    "result_backend_max_retries": 60,  # together some five minutes
}
CELERY_CONFIG = {**DEFAULT_CELERY_CONFIG, **WAIT_FOR_DATABASE}


@worker_init.connect  # type: ignore[untyped-decorator]
def prepare_worker(sender: Any, **_: object) -> None:  # Any: Celery's worker has no types
    """Prepare a worker that takes processing tasks, before its processes are forked."""
    if not NOT_PREPARED.issuperset(sender.app.amqp.queues.consume_from):
        from crawlhouse.airflow.executor import prepare_tasks, start_judge_server

        prepare_tasks()
        start_judge_server()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def end_spiders(**_: object) -> None:
    """Ask the spiders below this process to end, now and as long as the worker waits for its tasks. Returns at once."""
    threading.Thread(target=_end_spiders, args=(threading.Event(),), name="end-spiders", daemon=True).start()


def _end_spiders(never: threading.Event) -> None:
    asked: set[int] = set()
    while not never.wait(LOOK_SECONDS if asked else 0.0):
        asked.add(0)
        for process in psutil.Process().children(recursive=True):
            try:
                if process.pid not in asked and SPIDER in process.cmdline():
                    LOG.warning(
                        "This worker ends: the spider with PID %s registers what it has, and its task goes on elsewhere.", process.pid
                    )
                    process.terminate()
                    asked.add(process.pid)
            except psutil.Error:  # it has just ended
                continue
