"""The DAGs made from crawl files: their structure, a broken file beside good ones, and how light they are to parse."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.dags.conftest import DAGS

pytestmark = pytest.mark.xdist_group("dags")  # Airflow reads the folder once

HEAVY = ("pyarrow", "pandas", "scrapy", "great_expectations", "pyiceberg", "polars", "duckdb", "numpy", "trafilatura", "boto3", "twisted")
FILES = sorted(path.name for path in DAGS.glob("*.py") if path.name not in {"__init__.py", "broken_crawls.py"})
CPU_SECONDS = 1.0

MEASURE = """
import json, os, resource, sys
import airflow.sdk, airflow.sdk.definitions.dag, airflow.sdk.definitions.asset
from airflow.sdk import DAG, Asset, Param, task
with DAG("warm") as dag:
    @task(pool="fetch")
    def nothing() -> None: ...
    nothing.expand(x=[1]) if False else nothing()
for path in sys.argv[1:]:
    if os.fork():
        if os.wait()[1]:
            sys.exit(path)
        continue
    known = set(sys.modules)
    before = resource.getrusage(resource.RUSAGE_SELF)
    with open(path, encoding="utf-8") as file:
        source = file.read()
    exec(compile(source, path, "exec"), {"__name__": "parsed"})
    after = resource.getrusage(resource.RUSAGE_SELF)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    modules = sorted({name.partition(".")[0] for name in sys.modules if name not in known})
    print(json.dumps([path, seconds, modules]), flush=True)
    os._exit(0)
"""


def test_each_crawl_has_its_two_dags(found: dict[str, Any]) -> None:
    crawls = ("news", "own", "quiet")
    assert set(found["dags"]) == {"maintain_lake", *(f"{kind}_{name}" for kind in ("crawl", "process") for name in crawls)}


def test_a_crawl_dag(found: dict[str, Any]) -> None:
    dag = found["dags"]["crawl_news"]
    assert dag["description"] == "Two papers of one town"
    assert dag["doc"].startswith("Two papers of one town")
    assert "'0 */6 * * *'" in dag["schedule"]
    assert dag["tags"] == ["crawl", "news", "press"]
    assert dag["params"] == {"workers": 2, "urls": []}
    assert (dag["max_active_runs"], dag["catchup"], dag["paused"]) == (1, False, False)
    tasks = dag["tasks"]
    assert {name: task["upstream"] for name, task in tasks.items()} == {
        "plan": [],
        "fetch": ["plan"],
        "close": ["fetch", "plan"],
        "verdict": ["close", "fetch"],
    }
    assert tasks["fetch"]["mapped"]
    assert tasks["fetch"]["timeout"] == 40 * 60
    assert tasks["close"]["teardown"]
    assert tasks["close"]["outlets"] == ["captures_news"]


def test_a_paused_crawl_is_paused_and_its_processing_is_not(found: dict[str, Any]) -> None:
    assert found["dags"]["crawl_quiet"]["paused"] is True
    assert found["dags"]["process_quiet"]["paused"] is False


def test_a_process_dag(found: dict[str, Any]) -> None:
    tasks = found["dags"]["process_news"]["tasks"]
    assert {name: task["upstream"] for name, task in tasks.items()} == {
        "plan": [],
        "shards": ["plan"],
        "extract": ["plan", "shards"],
        "resolve": ["extract", "plan"],
        "gate": ["plan", "resolve"],
        "publish": ["gate", "plan"],
    }
    assert tasks["extract"]["mapped"]
    assert tasks["publish"]["outlets"] == ["crawlhouse://articles"]
    assert found["dags"]["process_own"]["tasks"]["publish"]["outlets"] == [
        "crawlhouse://articles",
        "crawlhouse://products",
        "crawlhouse://shelf",  # of an installed package, which is not imported for it
    ]


def test_every_task_is_tried_again_and_ends_in_time(found: dict[str, Any]) -> None:
    for dag_id, dag in found["dags"].items():
        for name, task in dag["tasks"].items():
            assert task["retries"] >= 2, (dag_id, name)
            assert task["retry_delay"] > 0, (dag_id, name)
            assert task["timeout"], (dag_id, name)
            assert task["pool"] in {"fetch", "process"}, (dag_id, name)
        assert dag["doc"], dag_id


def test_a_broken_crawl_is_told_with_file_and_line_and_the_others_stay(found: dict[str, Any], project: Path) -> None:
    assert list(found["errors"]) == ["broken_crawls.py"]
    assert f"{project / 'crawls' / 'broken.yaml'}: line 2: unknown key 'politness'" in found["errors"]["broken_crawls.py"]


def test_dag_files_are_light_to_parse(environment: dict[str, str]) -> None:
    """Each in a process forked from one that has imported Airflow, as the DAG processor does it."""
    paths = [str(DAGS / name) for name in FILES]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *paths], env=environment, capture_output=True, text=True, check=False, cwd=DAGS.parent
    )
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert [path for path, _, _ in told] == paths
    for path, seconds, modules in told:
        assert seconds < CPU_SECONDS, path
        assert not {*HEAVY, "neverimported"} & set(modules), path
