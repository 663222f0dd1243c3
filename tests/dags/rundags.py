"""Runs DAGs one after the other in this process, as `dag.test()` does, and prints as JSON what became of their tasks.

A process of its own, because importing Airflow fixes its home: `python -m tests.dags.rundags DAGS_FOLDER [--suite FILE] DAG...`
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

from processing import expectations
from schemas.errors import ConfigError
from spiders import run as spiders_run


def run(folder: str, dag_ids: list[str]) -> list[dict[str, object]]:
    bag = DagBag(folder)
    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(bag, "dags-folder", None)  # a run is only made of a DAG that Airflow's database knows
    told: list[dict[str, object]] = []
    for dag_id in dag_ids:
        run = bag.dags[dag_id].test()
        tasks = {ti.task_id: str(ti.state) for ti in run.get_task_instances()}
        tries = {ti.task_id: ti.try_number for ti in run.get_task_instances()}
        told.append({"state": str(run.state), "tasks": tasks, "tries": tries})
    return told


def _refuse(*_: object, **__: object) -> None:
    raise ConfigError("This worker refuses.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--suite", type=Path)
    parser.add_argument("--refuse-to-fetch", action="store_true")
    parser.add_argument("dags", nargs="+")
    given = parser.parse_args()
    if given.suite:
        expectations.suite_path = lambda: given.suite
    if given.refuse_to_fetch:
        spiders_run.fetch = _refuse
    print("\n" + json.dumps(run(given.folder, given.dags)))
