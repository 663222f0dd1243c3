"""A folder of crawl files, one of them broken, and what Airflow makes of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import dags
from schemas.config.settings import Settings
from tests.dags.dagruns import Runner, run_project
from tests.demosite import DemoSite, run_demo_site
from tests.installedpackages import write_package

DAGS = Path(dags.__file__).parent

NEWS = """\
description: Two papers of one town
owner: ada@example.com
seeds: [http://127.0.0.1:9/]
schedule: "0 */6 * * *"
timezone: Europe/Berlin
workers: 2
budgets: {max_minutes: 30}
tags: [press]
notify: [ops]
"""
OWN = """\
scope: {hosts: [127.0.0.1:9]}
spider: never_imported:Spider
credentials: [{origin: 'http://127.0.0.1:9', secret: members}]
datasets: [articles, products, shelf]
"""
PLUGIN = {
    "crawlhouse.datasets": {"shelf": "neverimported"},
    "crawlhouse.steps": {"sort": "neverimported:sort"},
    "crawlhouse.commands": {"sort": "neverimported:command"},
}
BROKEN = "seeds: [http://127.0.0.1:9/]\npolitness: {}\n"


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "crawls").mkdir()
    (folder / "crawls" / "news.yaml").write_text(NEWS, encoding="utf-8")
    (folder / "crawls" / "quiet.yaml").write_text("seeds: [http://127.0.0.1:9/]\npaused: true\n", encoding="utf-8")
    (folder / "crawls" / "own.yaml").write_text(OWN, encoding="utf-8")
    (folder / "crawls" / "never_imported.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    (folder / "crawls" / "broken.yaml").write_text(BROKEN, encoding="utf-8")
    files = {"neverimported/__init__.py": "raise SystemExit('imported')", "neverimported/shelf.yaml": "source: {items: true}\nkey: [url]\n"}
    write_package(folder / "packages", "shelves", PLUGIN, files)
    return folder


@pytest.fixture(scope="session")
def environment(project: Path) -> dict[str, str]:
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW__")},
        "AIRFLOW_HOME": str(project / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": str(project / "packages"),
        "CRAWLHOUSE_HOME": str(project / "var"),
        "CRAWLHOUSE_CRAWLS": str(project / "crawls"),
    }


@pytest.fixture(scope="session")
def found(environment: dict[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.dags.describe", str(DAGS)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=DAGS.parent)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.fixture(scope="package")
def dag_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoSite]:
    """The demo site of the projects whose DAGs run."""
    with run_demo_site(tmp_path_factory.mktemp("site") / "demo") as site:
        yield site


@pytest.fixture(scope="package")
def airflow(tmp_path_factory: pytest.TempPathFactory, dag_site: DemoSite) -> Iterator[tuple[Settings, Runner]]:
    """A project, and what runs its DAGs; its tests are of the xdist group `dagruns`, so that there is one."""
    with run_project(tmp_path_factory.mktemp("red"), dag_site, DAGS) as running:
        yield running
