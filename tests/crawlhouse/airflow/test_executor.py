"""The executor of the local Airflow has imported what tasks need before it forks its workers."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from crawlhouse.airflow.home import airflow_home
from schemas.config.settings import Settings
from tests import PROJECT

pytestmark = pytest.mark.xdist_group("executor")  # it starts once

ROOMS = ("crawls", "processing", "schemas", "spiders", "storage")
START = """
import json, os, sys, time
from pathlib import Path
from airflow.executors import local_executor
from crawlhouse import executor
loaded = []
local_executor.LocalExecutor.start = lambda self: loaded.extend(sys.modules)
executor.NEEDED = (*sys.argv[1:], *executor.NEEDED)
executor.LocalExecutor(parallelism=1).start()
server, until = Path(os.environ["CRAWLHOUSE_JUDGE_SERVER"]), time.monotonic() + 60
while not server.exists() and time.monotonic() < until:
    time.sleep(0.05)
print("judge server:", server.exists())
from runtime.code_version import code_version
print("code versions:", code_version.cache_info().currsize)
print(json.dumps(loaded))
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> tuple[set[str], str]:
    """What is imported when the workers are forked, and what was logged. One module of the list does not exist."""
    home = tmp_path_factory.mktemp("airflow")
    done = subprocess.run(
        [sys.executable, "-c", START, "processing.no_such_module"],
        env={**os.environ, "AIRFLOW_HOME": str(home), "PYTHONPATH": str(PROJECT)},
        cwd=home,
        capture_output=True,
        text=True,
        check=True,
    )
    *said, loaded = done.stdout.splitlines()
    return set(json.loads(loaded)), "\n".join((*said, done.stderr))


def test_the_version_of_the_code_is_known_when_workers_are_forked(started: tuple[set[str], str]) -> None:
    assert "code versions: 1" in started[1]


def test_all_that_tasks_import_is_there_when_workers_are_forked(started: tuple[set[str], str]) -> None:
    wanted = {
        f"{node.module}.{name.name}" if node.module in ROOMS else str(node.module)
        for path in (PROJECT / "dags").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] in ROOMS
        for name in node.names
    }
    assert {"processing.stages", "spiders.run", "storage.lake.maintenance"} <= wanted
    assert wanted - started[0] == set()


def test_the_process_that_judges_is_there_when_workers_are_forked(started: tuple[set[str], str]) -> None:
    assert "judge server: True" in started[1]


def test_a_module_that_cannot_be_imported_is_told_and_does_not_stop_the_scheduler(started: tuple[set[str], str]) -> None:
    assert "processing.no_such_module cannot be imported" in started[1]
    assert "processing.stages cannot" not in started[1]


def test_the_local_airflow_uses_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, crawls=tmp_path, database="", store="")
    options = airflow_home(settings)._options(settings, 8080)
    assert options["core"]["executor"] == "crawlhouse.airflow.executor.LocalExecutor"
