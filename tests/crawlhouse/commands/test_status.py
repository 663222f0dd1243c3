"""`crawlhouse status` and `down` where nothing runs."""

from __future__ import annotations

import json
from pathlib import Path

from tests.crawlhouse.conftest import Run


def test_nothing_runs(nowhere: Run, tmp_path: Path) -> None:
    (tmp_path / "crawls").mkdir()
    (tmp_path / "crawls" / "good.yaml").write_text("seeds: [https://a.example/]\nschedule: '@daily'\n")
    (tmp_path / "crawls" / "bad.yaml").write_text("seeds: {\n")
    ended = nowhere("status")
    assert ended.code == 0
    assert nowhere("status", "--health").code == 3
    assert "not running" in ended.out
    assert "@daily UTC  never ran" in ended.out
    assert "bad.yaml is not YAML" in ended.err
    assert nowhere("down").code == 0
    assert not (tmp_path / "var").exists()


def test_no_password_is_shown(nowhere: Run, tmp_path: Path) -> None:
    (tmp_path / "crawls").mkdir()
    ended = nowhere("status", "-f", "json", database="postgresql://me:geheim@db/lake")
    found = json.loads(ended.out)
    assert (ended.code, found["airflow"], found["last_runs"]) == (0, None, {})
    assert "The last runs cannot be read" in ended.err
    assert "geheim" not in ended.err
    assert found["places"]["database"] == "postgresql://me:***@db/lake"
