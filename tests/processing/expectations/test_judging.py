"""Rows that are compared with one another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from processing.expectations import judging
from processing.expectations.judged_rows import ROW

UNIQUE = {"type": "expect_compound_columns_to_be_unique", "columns": ["version", "article_id"], "kwargs": {"column_list": ["version"]}}


def test_equal_rows_are_compared_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row is in one part, equal ones in the same; an expectation that counts otherwise gets all rows at once."""
    monkeypatch.setattr(judging, "PART_ROWS", 20)
    ids = [None if number % 30 == 7 else f"id-{number % 30}" for number in range(100)]
    table = pa.table({ROW: range(100), "version": [1] * 100, "article_id": pa.array(ids, pa.string())})
    pq.write_table(table, tmp_path / "1.parquet", row_group_size=33)
    left_out = np.array([3, 4])
    parts = list(judging._compared([tmp_path / "1.parquet"], UNIQUE, left_out))
    of_parts = [part[ROW].to_pylist() for part in parts if part is not None]
    assert len([rows for rows in of_parts if rows]) > 3
    assert sorted(row for rows in of_parts for row in rows) == [row for row in range(100) if row not in {3, 4}]
    assert sum(len({ids[row] for row in rows}) for rows in of_parts) == 30
    for one in (
        {**UNIQUE, "kwargs": {"mostly": 0.5}},
        {**UNIQUE, "columns": ["version"]},
        {**UNIQUE, "type": "expect_column_sum_to_be_between"},
    ):
        (whole,) = judging._compared([tmp_path / "1.parquet"], one, left_out)
        assert whole is not None
        assert whole.num_rows == 98
    assert list(judging._compared([], UNIQUE, left_out)) == [None]
