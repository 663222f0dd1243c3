"""A project's own `dags/` folder is loaded beside ours; the example of a daily export runs in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from crawlhouse.airflow.home import airflow_home, dag_bundles, dags_folder, parse_seconds
from schemas.config.settings import Settings
from tests import PROJECT
from tests.crawlhouse.conftest import Run

EXAMPLE = PROJECT / "docs" / "examples" / "daily_export.py"
RUN_EXAMPLE = """
import sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
assert not bag.import_errors, bag.import_errors
assert list(bag.dags) == ["daily_export"]
print("file:", bag.dags["daily_export"].get_task("export").python_callable("2026-01-02"))
"""


def test_init_makes_the_folder_and_airflow_is_told_of_it(nowhere: Run, tmp_path: Path) -> None:
    assert nowhere("init", "shop").code == 0
    settings = Settings(home=tmp_path / "shop" / "var", crawls=tmp_path / "shop" / "crawls")
    home = airflow_home(settings)
    home.prepare(settings, 8080)
    config = ConfigParser(interpolation=None)
    config.read(home.config)
    bundles = json.loads(config["dag_processor"]["dag_bundle_config_list"])
    assert {one["name"]: one["kwargs"]["path"] for one in bundles} == {
        "dags-folder": str(dags_folder()),
        "project": str(tmp_path / "shop" / "dags"),
    }
    assert config["dag_processor"]["min_file_process_interval"] == "15"
    for number in range(400):
        (settings.crawls / f"crawl_{number}.yaml").touch()
    assert parse_seconds(settings) == 80


def test_no_folder_and_our_own_folder_are_not_loaded_twice(tmp_path: Path) -> None:
    (tmp_path / "crawls").mkdir()
    assert [one["name"] for one in dag_bundles(Settings(home=tmp_path, crawls=tmp_path / "crawls"))] == ["dags-folder"]
    assert [one["name"] for one in dag_bundles(Settings(home=tmp_path, crawls=dags_folder().parent / "crawls"))] == ["dags-folder"]


@pytest.mark.airflow
def test_the_example_of_a_daily_export(lake_home: Path, tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    shutil.copy(EXAMPLE, tmp_path / "dags")
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW__", "CRAWLHOUSE_"))},
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "CRAWLHOUSE_HOME": str(lake_home),
        "EXPORT_FOLDER": str(tmp_path / "exports"),
    }
    done = subprocess.run(
        [sys.executable, "-c", RUN_EXAMPLE, str(tmp_path / "dags")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
    )
    assert done.returncode == 0, done.stderr
    assert f"file: {tmp_path / 'exports' / 'articles-2026-01-02.parquet'}" in done.stdout
    assert pq.read_table(tmp_path / "exports" / "articles-2026-01-02.parquet").num_rows == 2
    assert len(list((tmp_path / "exports").iterdir())) == 1
