"""Runs DAGs as `dag.test()` does, in one process for many tests, and tells as JSON what became of their tasks.

A process of its own, because importing Airflow fixes its home: `python -m tests.dags.rundags DAGS_FOLDER`. Each line of its input is an
`Order`; the answer is whatever the runs log, and then a line `ANSWER` with a JSON list, a run each. An order with `stops` has a line
`BEGUN` at the beginning of each task's body, which goes on when it has read a line.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
from airflow.sdk import get_current_context

from dags import outcomes
from processing.expectations import expectations
from schemas.errors import ConfigError
from spiders import run as spiders_run
from storage.objects import s3
from tests.dags import ANSWER, BEGUN
from tests.warm import popen

PATIENCE = outcomes._patience


def main(folder: str) -> None:
    """Take orders until there are no more."""
    popen.install()
    bag = DagBag(folder)
    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(bag, "dags-folder", None)  # a run is only made of a DAG that Airflow's database knows
    for line in sys.stdin:
        order = json.loads(line)
        with _as_ordered(order):
            told = [_run(bag, dag_id, order.get("conf")) for dag_id in order["dags"]]
        print("\n" + ANSWER + json.dumps(told), flush=True)


@contextmanager
def _as_ordered(order: dict[str, Any]) -> Iterator[None]:
    """The order's variables, its suite in place of ours, and fetching that refuses."""
    suite = Path(order["suite"]) if order["suite"] else expectations.suite_path()
    fetch = _refuse if order["refuse_to_fetch"] else spiders_run.fetch
    patience, attempts = (_stop, 1) if order.get("stops") else (PATIENCE, s3.MAX_ATTEMPTS)  # boto3's own retries would wait too
    with (
        mock.patch.dict(os.environ, order["environment"]),
        mock.patch.object(expectations, "suite_path", return_value=suite),
        mock.patch.object(spiders_run, "fetch", fetch),
        mock.patch.object(outcomes, "_patience", patience),
        mock.patch.object(s3, "MAX_ATTEMPTS", attempts),
    ):
        yield


def _stop() -> AbstractContextManager[None]:
    """What begins every task's body: it waits for the test, then for the servers as always."""
    print("\n" + BEGUN + get_current_context()["ti"].task_id, flush=True)
    sys.stdin.readline()
    return PATIENCE()


def _run(bag: DagBag, dag_id: str, conf: dict[str, Any] | None) -> dict[str, object]:
    run = bag.dags[dag_id].test(run_conf=conf)
    tasks = {ti.task_id: str(ti.state) for ti in run.get_task_instances()}
    tries = {ti.task_id: ti.try_number for ti in run.get_task_instances()}
    return {"state": str(run.state), "tasks": tasks, "tries": tries}


def _refuse(*_: object, **__: object) -> None:
    raise ConfigError("This worker refuses.")


if __name__ == "__main__":
    main(sys.argv[1])
