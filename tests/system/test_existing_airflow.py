"""An Airflow that exists already: crawlhouse's DAGs beside an unrelated one, added by one file or by a bundle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crawlhouse.airflow.home import dags_folder
from tests import PROJECT
from tests.dags import ANSWER
from tests.spiders.sharedhosts import respond
from tests.spiders.smallserver import small_server

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(600)]
LOADER = "from dags.every import every_dag  # an airflow DAG file\nglobals().update(every_dag())\n"
UNRELATED = """
from airflow.sdk import DAG, task
with DAG("unrelated", schedule=None):
    @task
    def work() -> int:
        return 42
    work()
"""
SMALL = "seeds: [{base}/1, {base}/2]\nnetwork: {{allow: [127.0.0.1/32]}}\npoliteness: {{delay: 0}}\nscope: {{sitemaps: false}}\n"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A clean Airflow home, as its own administrator made it."""
    known = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "CRAWLHOUSE_"))}
    return known | {
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "CRAWLHOUSE_HOME": str(tmp_path / "var"),
        "CRAWLHOUSE_CRAWLS": str(tmp_path / "crawls"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }


def run(environment: dict[str, str], *command: str, order: str = "") -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, input=order)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def run_json(environment: dict[str, str], *command: str) -> list[dict[str, Any]]:
    """What an `airflow ... --output json` prints, behind the lines of its log."""
    done = subprocess.run([*command, "--output", "json"], env=environment, capture_output=True, text=True, check=True)
    found: list[dict[str, Any]] = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("[{")))
    return found


def test_our_dags_run_beside_an_unrelated_one(environment: dict[str, str], tmp_path: Path) -> None:
    for name in ("dags", "crawls"):
        (tmp_path / name).mkdir()
    (tmp_path / "dags" / "unrelated.py").write_text(UNRELATED, encoding="utf-8")
    (tmp_path / "dags" / "crawlhouse_dags.py").write_text(LOADER, encoding="utf-8")
    (tmp_path / "crawls" / "broken.yaml").write_text("seeds: 3\n", encoding="utf-8")
    run(environment, "airflow", "db", "migrate")
    run(environment, "airflow", "pools", "set", "fetch", "3", "made before")
    told = run(environment, "crawlhouse", "airflow-setup")
    assert "Pool fetch: was there" in told
    assert "Pool short: made, 4 slots" in told
    assert str(dags_folder()) in told
    assert "Pool short: was there" in run(environment, "crawlhouse", "airflow-setup")
    pools = {pool["pool"]: int(pool["slots"]) for pool in run_json(environment, "airflow", "pools", "list")}
    assert pools == {"default_pool": 128, "fetch": 3, "process": 4, "short": 4}
    with small_server(respond) as server:
        (tmp_path / "crawls" / "small.yaml").write_text(SMALL.format(base=server.base), encoding="utf-8")
        order = {"suite": "", "refuse_to_fetch": False, "environment": {}, "dags": ["crawl_small", "process_small", "unrelated"]}
        ran = run(environment, sys.executable, "-m", "tests.dags.rundags", str(tmp_path / "dags"), order=json.dumps(order) + "\n")
    answer: list[dict[str, Any]] = json.loads(ran.rpartition(ANSWER)[2].splitlines()[0])
    assert [told["state"] for told in answer] == ["success"] * 3
    assert answer[1]["tasks"]["publish"] == "success"
    records = run(environment, "crawlhouse", "query", "SELECT count(*) AS records FROM captures", "--format", "json")
    assert '"records": 4' in records  # two pages, robots.txt and tdmrep.json
    run(environment, str(PROJECT / "image" / "clean-database.sh"), "once")
    assert "crawlhouse" in run(environment, "airflow", "plugins")


def test_our_dags_are_a_bundle_of_their_own(environment: dict[str, str], tmp_path: Path) -> None:
    for name in ("dags", "crawls"):
        (tmp_path / name).mkdir()
    (tmp_path / "dags" / "unrelated.py").write_text(UNRELATED, encoding="utf-8")
    (tmp_path / "crawls" / "small.yaml").write_text(SMALL.format(base="https://a.example"), encoding="utf-8")
    local = "airflow.dag_processing.bundles.local.LocalDagBundle"
    bundles = [
        {"name": "own", "classpath": local, "kwargs": {"path": str(tmp_path / "dags")}},
        {"name": "crawlhouse", "classpath": local, "kwargs": {"path": str(dags_folder())}},
    ]
    environment = environment | {"AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles)}
    run(environment, "airflow", "db", "migrate")
    run(environment, "airflow", "dags", "reserialize")
    listed = {dag["dag_id"]: dag["bundle_name"] for dag in run_json(environment, "airflow", "dags", "list")}
    assert listed == {
        "unrelated": "own",
        "crawl_small": "crawlhouse",
        "process_small": "crawlhouse",
        "reprocess_small": "crawlhouse",
        "maintain_lake": "crawlhouse",
        "announce_tables": "crawlhouse",
    }
