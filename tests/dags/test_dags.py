"""The DAGs made from crawl files: their structure, a broken file beside good ones, and how light they are to parse."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.runs import CrawlRun
from storage.ledger.ledger import open_ledger
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


def test_each_crawl_has_its_three_dags(found: dict[str, Any]) -> None:
    crawls = ("news", "own", "quiet")
    ours = {"announce_tables", "decide_rows", "maintain_lake", "watch_crawls"}
    assert set(found["dags"]) == ours | {f"{kind}_{name}" for kind in ("crawl", "process", "reprocess") for name in crawls}


def test_a_crawl_dag(found: dict[str, Any]) -> None:
    dag = found["dags"]["crawl_news"]
    assert dag["description"] == "Two papers of one town"
    assert dag["doc"].startswith("Two papers of one town")
    assert "'0 */6 * * *'" in dag["schedule"]
    assert (dag["timezone"], found["dags"]["crawl_quiet"]["timezone"]) == ("Europe/Berlin", "UTC")
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


def test_a_crawl_names_its_owner_and_leads_to_its_page(found: dict[str, Any]) -> None:
    for kind in ("crawl", "process", "reprocess"):
        dag = found["dags"][f"{kind}_news"]
        assert dag["owners"] == [["ada@example.com"], {"ada@example.com": "mailto:ada@example.com"}]
        assert "[What became of its runs](/plugin/crawls/crawlhouse/crawls/news)" in dag["doc"]
    assert found["dags"]["crawl_quiet"]["owners"] == [["airflow"], {}]


def test_no_dag_offers_a_backfill(found: dict[str, Any]) -> None:
    """A run takes what is due now, whatever date it is given."""
    for dag_id, dag in found["dags"].items():
        assert "backfill" not in dag["run_types"], dag_id
        assert {"scheduled", "manual", "asset_triggered"} <= set(dag["run_types"]), dag_id


def test_a_scheduled_crawl_has_deadlines(found: dict[str, Any]) -> None:
    """Six hours and half of them: then the next run is late. And two minutes, until the run is planned."""
    for kind in ("crawl", "process"):
        assert found["dags"][f"{kind}_news"]["deadlines"] == [[9 * 3600 + 120, "dags.telling.tell_overdue", {"crawl": "news"}]]
        assert found["dags"][f"{kind}_own"]["deadlines"] == []


def test_a_reprocess_dag(found: dict[str, Any]) -> None:
    dag = found["dags"]["reprocess_own"]
    assert (dag["schedule"], dag["max_active_runs"], dag["paused"]) == (None, 1, False) or "Null" in str(dag["schedule"])
    assert dag["params"] == {"run": None, "since": None, "url": None, "quarantined": False, "dataset": None, "dry_run": False}
    assert {name: task["upstream"] for name, task in dag["tasks"].items()} == {
        "plan": [],
        "replay": ["plan"],
        "shards": ["plan", "replay"],
        "extract": ["shards"],
        "compare": ["extract", "plan"],
        "publish": ["compare", "plan"],
    }
    assert dag["tasks"]["publish"]["outlets"] == []  # `announce_tables` makes the events, of each portion as soon as it is published


def test_the_dag_of_events_knows_all_tables(found: dict[str, Any]) -> None:
    dag = found["dags"]["announce_tables"]
    assert (dag["max_active_runs"], dag["paused"]) == (1, False)
    assert dag["tasks"]["announce"]["outlets"] == ["crawlhouse://articles", "crawlhouse://products", "crawlhouse://shelf"]


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
    assert tasks["publish"]["outlets"] == ["crawlhouse://articles", "backlog_news"]  # an event of the captures, if some are left
    assert found["dags"]["process_own"]["tasks"]["publish"]["outlets"] == [
        "crawlhouse://articles",
        "crawlhouse://products",
        "crawlhouse://shelf",  # of an installed package, which is not imported for it
        "backlog_own",
    ]


def test_every_task_is_tried_again_and_ends_in_time(found: dict[str, Any]) -> None:
    for dag_id, dag in found["dags"].items():
        for name, task in dag["tasks"].items():
            assert task["retries"] >= 2, (dag_id, name)
            assert task["retry_delay"] > 0, (dag_id, name)
            assert task["timeout"], (dag_id, name)
            assert task["pool"] in {"fetch", "process", "short"}, (dag_id, name)
            assert task["queue"] == "default"  # of an Airflow without workers for others
        assert dag["doc"], dag_id


def test_more_tasks_may_run_at_once_than_airflow_allows_by_default(found: dict[str, Any]) -> None:
    """Of one run: as many fetch workers as it may have, and as many shards as there may be. Otherwise Airflow stops at 16."""
    assert found["dags"]["crawl_news"]["max_active_tasks"] == 100
    assert found["dags"]["process_news"]["max_active_tasks"] == 64


def test_short_tasks_do_not_wait_for_long_ones(environment: dict[str, str]) -> None:
    described = [sys.executable, "-m", "tests.dags.describe", str(DAGS)]
    found = json.loads(subprocess.check_output(described, env=environment | {"CRAWLHOUSE_QUEUES": "true"}, text=True).splitlines()[-1])
    kinds = {name: (task["pool"], task["queue"]) for dag in found["dags"].values() for name, task in dag["tasks"].items()}
    short = {"plan", "close", "verdict", "shards", "tidy", "announce", "watch"}
    assert {name for name, kind in kinds.items() if kind == ("short", "short")} == short
    assert {name for name, kind in kinds.items() if kind == ("fetch", "fetch")} == {"fetch"}
    assert {name for name, kind in kinds.items() if kind == ("process", "process")} == {
        "extract", "resolve", "gate", "publish", "maintain", "replay", "compare", "decide"
    }  # fmt: skip


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


def test_a_machine_without_the_crawl_file_has_the_dag_of_the_newest_run(environment: dict[str, str], tmp_path: Path) -> None:
    """A task there has the time limit and the tables that the run was planned with."""
    environment = environment | {"CRAWLHOUSE_HOME": str(tmp_path / "var")}
    settings = Settings(home=tmp_path / "var", crawls=tmp_path, database="", store="")
    text = "seeds: [https://a.example/]\ndatasets: [articles, prices]\nbudgets: {max_minutes: 7}\n"
    ledger = open_ledger(settings)
    ledger.add_crawl_run(CrawlRun("gone-1", parse_crawl(text, "gone"), "key", datetime.now(UTC), "1", "hash"))
    ledger.close()
    process = _described(environment, "process_gone")["tasks"]
    assert process["publish"]["outlets"] == ["crawlhouse://articles", "crawlhouse://prices", "backlog_gone"]
    assert _described(environment, "crawl_gone")["tasks"]["fetch"]["timeout"] == 17 * 60


def _described(environment: dict[str, str], dag_id: str) -> dict[str, Any]:
    """A DAG as the process of one of its tasks has it."""
    task = {"_AIRFLOW_PARSING_CONTEXT_DAG_ID": dag_id, "_AIRFLOW_PARSING_CONTEXT_TASK_ID": "any"}
    told = subprocess.check_output([sys.executable, "-m", "tests.dags.describe", str(DAGS)], env=environment | task, text=True)
    return dict(json.loads(told.splitlines()[-1])["dags"][dag_id])
