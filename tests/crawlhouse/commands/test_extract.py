"""`crawlhouse extract`: rows from any WARC file, whole or cut off."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.crawlhouse.conftest import Run
from tests.crawlhouse.smalllake import ARTICLE, COPY, MISSING


@pytest.fixture
def warc(lake_home: Path) -> Path:
    """The WARC segment of the small lake: four responses."""
    return next((lake_home / "store" / "warc").rglob("*.warc.gz"))


def test_one_row_per_response(nowhere: Run, warc: Path, tmp_path: Path) -> None:
    ended = nowhere("extract", str(warc), "-o", "out.jsonl", "--workers", "1", "--site-memory", "off")
    assert ended.code == 0
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["url"] for row in rows] == [ARTICLE, ARTICLE, COPY, MISSING]
    assert [row["status"] for row in rows].count("rejected") == sum(1 for row in rows if row["reason"])
    assert rows[3]["reason"] == "http_error"


def test_parquet_by_suffix(nowhere: Run, warc: Path, tmp_path: Path) -> None:
    assert nowhere("extract", str(warc), "-o", "out.parquet", "--workers", "1").code == 0
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 4


def test_a_warc_that_is_cut_off(nowhere: Run, warc: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.warc.gz"
    cut.write_bytes(warc.read_bytes()[:-200])
    ended = nowhere("extract", "cut.warc.gz", "-o", "out.jsonl", "--workers", "1")
    assert ended.code == 5
    assert "1 record cannot be read" in ended.err
    assert "Traceback" not in ended.err
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["url"] for row in rows[:3]] == [ARTICLE, ARTICLE, COPY]
    assert rows[-1]["reason"] == "damaged_record"


@pytest.mark.parametrize(("name", "output", "code"), [("nowhere.warc.gz", "out.jsonl", 3), (None, "out.xlsx", 2)])
def test_what_is_refused(nowhere: Run, warc: Path, name: str | None, output: str, code: int) -> None:
    ended = nowhere("extract", name or str(warc), "-o", output)
    assert (ended.code, ended.out) == (code, "")
    assert "Traceback" not in ended.err
