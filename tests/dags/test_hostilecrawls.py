"""Crawl files that are wrong in any way, and names that could collide: every other crawl keeps its DAGs."""

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
from tests.dags.test_dags import CPU_SECONDS, FILES, MEASURE
from tests.schemas.test_crawlbounds import ANYTHING, OUT_OF_BOUNDS, SEED

pytestmark = pytest.mark.xdist_group("dags")

NAMES = ("news", "dag", "dags", "crawl", "process", "process_dag", "params", "broken", "lake")
STEPS = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
bag = DagBag(sys.argv[1])
for dag in bag.dags.values():
    json.dumps(DagSerialization.serialize_dag(dag), ensure_ascii=False).encode()
print(json.dumps({"dags": {name: dag.description for name, dag in bag.dags.items()}, "errors": list(bag.import_errors.values())}))
"""
EACH = """
import runpy, sys
from pathlib import Path
import dags.crawl
from dags.loading import build
from dags.outcomes import final_errors
from schemas.config.crawl_file import parse_crawl

def make(crawl, crawl_dag=dags.crawl.crawl_dag):
    if crawl.name == "second":
        raise OverflowError("too much")
    return crawl_dag(crawl)

crawls = [parse_crawl("seeds: [http://a.example/]", name) for name in ("first", "second", "third")]
built, broken = build(make, crawls)
assert [dag.dag_id for dag in built.values()] == ["crawl_first", "crawl_third"]
assert not any(name.isidentifier() for name in built)
assert list(broken) == ["second"]
dags.crawl.crawl_dag = make
try:
    runpy.run_path(sys.argv[1])
except Exception as error:
    print(error)
try:
    with final_errors():
        dags.crawl._read(Path(sys.argv[2]))
except Exception as error:
    print(type(error).__name__, error)
"""


def run(environment: dict[str, str], crawls: Path, code: str, *arguments: str, **more: str) -> str:
    given = {**environment, "CRAWLHOUSE_CRAWLS": str(crawls), "CRAWLHOUSE_HOME": str(crawls.parent / "var"), **more}
    done = subprocess.run([sys.executable, "-c", code, *arguments], env=given, capture_output=True, text=True, check=False, cwd=DAGS.parent)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def described(environment: dict[str, str], crawls: Path) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run(environment, crawls, STEPS, str(DAGS)).splitlines()[-1])
    return answer


@pytest.fixture
def crawls(tmp_path: Path) -> Path:
    folder = tmp_path / "crawls"
    folder.mkdir()
    return folder


def test_no_crawl_file_takes_another_ones_dags(environment: dict[str, str], crawls: Path) -> None:
    for name in NAMES:
        (crawls / f"{name}.yaml").write_text(SEED, encoding="utf-8")
    wrong = {**{what: SEED + text for what, text in OUT_OF_BOUNDS.items()}, **ANYTHING}
    for number, text in enumerate(wrong.values()):
        (crawls / f"wrong{number}.yaml").write_text(text, encoding="utf-8")
    found = described(environment, crawls)
    ours = {"announce_tables", "decide_rows", "maintain_lake"}
    assert set(found["dags"]) == ours | {f"{kind}_{name}" for kind in ("crawl", "process", "reprocess") for name in NAMES}
    (error,) = found["errors"]
    assert all(f"wrong{number}.yaml" in error for number in range(len(wrong)))


def test_each_crawl_fails_on_its_own(environment: dict[str, str], crawls: Path) -> None:
    """A DAG that cannot be built is reported, and the others are there. A plan without its crawl file says so, and is retried."""
    for name in ("first", "second"):
        (crawls / f"{name}.yaml").write_text(SEED, encoding="utf-8")
    said = run(environment, crawls, EACH, str(DAGS / "broken_crawls.py"), str(crawls / "gone.yaml"))
    assert f"{crawls / 'second.yaml'}: its DAG cannot be built: OverflowError: too much\n" in said
    assert f"UnavailableError There is no crawl file {crawls / 'gone.yaml'}. This is " in said


def test_fifty_crawls_are_light_to_parse(environment: dict[str, str], crawls: Path) -> None:
    for number in range(50):
        (crawls / f"news{number}.yaml").write_text(SEED + "schedule: 0 */6 * * *\ntags: [press]\n", encoding="utf-8")
    told = run(environment, crawls, MEASURE, *(str(DAGS / name) for name in FILES))
    for line in told.splitlines():
        path, seconds, _ = json.loads(line)
        assert seconds < CPU_SECONDS, path


@pytest.mark.chaos
def test_what_is_unfinished_keeps_its_dags_without_its_file(environment: dict[str, str], crawls: Path) -> None:
    """Without its DAG, Airflow would never finish its runs."""
    settings = Settings(home=crawls.parent / "var", crawls=crawls, database="", store="")
    (crawls / "news.yaml").write_text(SEED, encoding="utf-8")
    (crawls / "typo.yaml").write_text(SEED + "speed: 3\n", encoding="utf-8")
    ledger = open_ledger(settings)
    for name in ("news", "typo", "gone"):
        ledger.add_crawl_run(CrawlRun(f"{name}-1", parse_crawl(SEED, name), "key", datetime.now(UTC), "1", "hash"))
    ledger.close()
    found = described(environment, crawls)["dags"]
    assert {"crawl_news", "crawl_typo", "process_typo", "crawl_gone", "process_gone"} < set(found)
    assert found["crawl_gone"] == "The crawl file of gone is missing or has a mistake. Runs that were planned before are finished."
    assert found["crawl_news"] == "Fetch news"


def test_a_task_of_a_crawl_without_its_file_finds_its_dag(environment: dict[str, str], crawls: Path) -> None:
    """A worker on a machine to which the file was not copied; of a file's other DAGs none is built."""
    (crawls / "other.yaml").write_text(SEED, encoding="utf-8")
    wanted = {"_AIRFLOW_PARSING_CONTEXT_DAG_ID": "crawl_gone", "_AIRFLOW_PARSING_CONTEXT_TASK_ID": "plan"}
    for file in ("crawl.py", "unfinished.py"):
        answer = json.loads(run(environment, crawls, STEPS, str(DAGS / file), **wanted).splitlines()[-1])
        assert (list(answer["dags"]), answer["errors"]) == (["crawl_gone"], []), file
