"""A Celery worker imports what processing tasks need before it forks its processes, and starts the judge server for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from processing.expectations.judge_server import ADDRESS
from tests import PROJECT

pytestmark = pytest.mark.chaos  # Airflow's Celery provider takes some seconds to import

WORKER = f"""
import json, os, signal, sys
from pathlib import Path
from celery import Celery
from celery.signals import worker_process_init, worker_ready
from crawlhouse.airflow import celery_worker

@worker_process_init.connect
def look(**_):
    Path(sys.argv[2]).write_text(json.dumps(["processing.stages" in sys.modules, bool(os.environ.get("{ADDRESS}"))]))

@worker_ready.connect
def end(**_):
    os.kill(os.getpid(), signal.SIGTERM)

Celery(broker="memory://").worker_main(["worker", "--queues", sys.argv[1], "--concurrency", "1", "--without-gossip", "--without-mingle"])
"""


@pytest.mark.parametrize(("queues", "expected"), [("fetch", [False, False]), ("fetch,process", [True, True])])
def test_the_processes_of_a_worker_are_prepared(queues: str, expected: list[bool], tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != ADDRESS}
    command = [sys.executable, "-c", WORKER, queues, str(tmp_path / "seen.json")]
    done = subprocess.run(
        command,
        env=environment | {"PYTHONPATH": str(PROJECT), "AIRFLOW_HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads((tmp_path / "seen.json").read_text()) == expected
