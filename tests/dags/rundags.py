"""Runs DAGs as `dag.test()` does, in one process for many tests, and tells as JSON what became of their tasks.

A process of its own, because importing Airflow fixes its home: `python -m tests.dags.rundags DAGS_FOLDER`. Each line of its input is an
`Order`; the answer is whatever the runs log, and then a line `ANSWER` with a JSON list, a run each.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

from processing.expectations import expectations
from schemas.errors import ConfigError
from spiders import run as spiders_run
from tests.dags import ANSWER
from tests.warm import popen


def main(folder: str) -> None:
    """Take orders until there are no more."""
    popen.install()
    bag = DagBag(folder)
    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(bag, "dags-folder", None)  # a run is only made of a DAG that Airflow's database knows
    for line in sys.stdin:
        order = json.loads(line)
        with _as_ordered(order):
            told = [_run(bag, dag_id) for dag_id in order["dags"]]
        print("\n" + ANSWER + json.dumps(told), flush=True)


@contextmanager
def _as_ordered(order: dict[str, Any]) -> Iterator[None]:
    """The order's variables, its suite in place of ours, and fetching that refuses."""
    suite = Path(order["suite"]) if order["suite"] else expectations.suite_path()
    fetch = _refuse if order["refuse_to_fetch"] else spiders_run.fetch
    with (
        mock.patch.dict(os.environ, order["environment"]),
        mock.patch.object(expectations, "suite_path", return_value=suite),
        mock.patch.object(spiders_run, "fetch", fetch),
    ):
        yield


def _run(bag: DagBag, dag_id: str) -> dict[str, object]:
    run = bag.dags[dag_id].test()
    tasks = {ti.task_id: str(ti.state) for ti in run.get_task_instances()}
    tries = {ti.task_id: ti.try_number for ti in run.get_task_instances()}
    return {"state": str(run.state), "tasks": tasks, "tries": tries}


def _refuse(*_: object, **__: object) -> None:
    raise ConfigError("This worker refuses.")


if __name__ == "__main__":
    main(sys.argv[1])
