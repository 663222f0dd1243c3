"""`crawlhouse upgrade`, and who else meets a home of an earlier version: `up`, and compose's first step."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from crawlhouse import cluster_init as clusterinit
from crawlhouse.airflow import processes, stack
from crawlhouse.airflow.home import airflow_home
from schemas.config.settings import Settings
from schemas.errors import ConflictError
from storage.ledger.ledger import open_ledger
from tests.crawlhouse.conftest import Run
from tests.kepthome import load_into_postgres, unpack_home


def test_the_command_says_what_it_did(crawlhouse: Run, tmp_path: Path) -> None:
    settings = unpack_home(4, tmp_path)
    places = {"home": str(settings.home), "crawls": str(settings.crawls)}
    refused = crawlhouse("frontier", "list", "--crawl", "news", **places)
    assert (refused.code, "Run `crawlhouse upgrade`" in refused.err) == (6, True)
    airflow_home(settings).folder.mkdir()
    with pytest.raises(ConflictError, match="Run `crawlhouse upgrade`"):
        stack._check_resources(settings)

    first, second = crawlhouse("upgrade", **places), crawlhouse("upgrade", **places)
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert "was brought from version 4 to 6." in first.err
    assert "backups/frontier-version-4-" in first.err
    assert "Nothing to do: everything has version 6 already." in second.err
    stack._check_resources(settings)
    listed = crawlhouse("frontier", "list", "--crawl", "news", **places)
    assert listed.code == 0, listed.err


def test_airflow_is_stopped_first(crawlhouse: Run, tmp_path: Path) -> None:
    """A running Airflow would use the code of the earlier release. Here a process with the mark of its start replaces it."""
    settings = unpack_home(4, tmp_path)
    folder, mark = airflow_home(settings).folder, processes.new_mark()
    folder.mkdir()
    processes.spawn([sys.executable, "-c", "import time; time.sleep(300)"], mark, tmp_path / "log", os.environ)
    (folder / "stack.json").write_text(json.dumps({"mark": mark, "port": 1}))
    refused = crawlhouse("upgrade", home=str(settings.home))
    assert (refused.code, "Run `crawlhouse down`, then upgrade." in refused.err) == (6, True)
    processes.end(mark, 1.0)
    assert crawlhouse("upgrade", home=str(settings.home)).code == 0


def test_composes_first_step_makes_and_upgrades_the_tables(postgres_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = load_into_postgres(4, unpack_home(4, tmp_path), postgres_url)
    clusterinit.make_tables(kept)
    assert "from version 4 to 6" in capsys.readouterr().out
    assert len(open_ledger(kept).crawl_runs()) == 4
    clusterinit.make_tables(kept)
    assert capsys.readouterr().out == ""


def test_composes_first_step_makes_the_tables(postgres_url: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", crawls=tmp_path, database=postgres_url)
    clusterinit.make_tables(settings)
    assert open_ledger(settings).crawl_runs() == []
