"""The Python of docs/readers.md runs, in a project with a lake."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from schemas.config.settings import make_settings
from storage.lake.reader.lake_file import write_lake_file
from tests import PROJECT
from tests.crawlhouse.smalllake import publish_small_lake

BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def test_every_block_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_small_lake(tmp_path / "var")
    write_lake_file(make_settings(home=tmp_path / "var"))
    (tmp_path / "crawls").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POLARS_ICEBERG_PLANNER", "pyiceberg")  # without a package that is quicker, and without its warning
    names: dict[str, Any] = {}
    every = BLOCK.findall((PROJECT / "docs" / "readers.md").read_text(encoding="utf-8"))
    blocks = [block for block in every if "pyspark" not in block]  # that one is run by tests/storage/lake/test_spark.py
    for block in blocks:
        exec(block, names)
    assert (len(blocks), len(every)) == (4, 5)
    assert names["by_host"].height == 2
    assert len(names["titles"]) == 2
    assert len(names["frame"]) == 3
    assert names["count"] == 3
    names["catalog"].close()
