"""Prints as JSON what Airflow finds in a DAG folder: run as a process of its own, because importing Airflow fixes its home."""

from __future__ import annotations

import json
import sys

from airflow.dag_processing.dagbag import DagBag


def describe(folder: str) -> dict[str, object]:
    bag = DagBag(folder)
    dags = {
        dag.dag_id: {
            "doc": dag.doc_md,
            "description": dag.description,
            "schedule": str(getattr(dag.timetable, "summary", dag.timetable)),
            "timezone": dag.timezone.name,
            "tags": sorted(dag.tags),
            "owners": [sorted({task.owner for task in dag.tasks}), dag.owner_links],
            "deadlines": [[alert.interval.total_seconds(), alert.callback.path, alert.callback.kwargs] for alert in dag.deadline or ()],
            "max_active_runs": dag.max_active_runs,
            "max_active_tasks": dag.max_active_tasks,
            "catchup": dag.catchup,
            "paused": dag.is_paused_upon_creation,
            "params": dag.params.dump(),
            "run_types": sorted(kind.value for kind in dag.allowed_run_types or ()),
            "tasks": {
                task.task_id: {
                    "upstream": sorted(task.upstream_task_ids),
                    "retries": task.retries,
                    "retry_delay": task.retry_delay.total_seconds(),
                    "timeout": task.execution_timeout.total_seconds() if task.execution_timeout else None,
                    "pool": task.pool,
                    "queue": task.queue,
                    "mapped": task.is_mapped,
                    "teardown": task.is_teardown,
                    "outlets": [asset.name for asset in task.outlets],
                }
                for task in dag.tasks
            },
        }
        for dag in bag.dags.values()
    }
    return {"dags": dags, "errors": {path.rsplit("/", 1)[-1]: message for path, message in bag.import_errors.items()}}


if __name__ == "__main__":
    print(json.dumps(describe(sys.argv[1])))
