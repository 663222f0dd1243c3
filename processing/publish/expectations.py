"""Validate the article rows with the expectation suite, in a process of its own (`gate_process`)."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from runtime.command_line import module_command
from runtime.scratch import scratch_folder
from schemas.errors import GateError

TIMEOUT_SECONDS = 1800  # far longer than a suite needs; a process that hangs must not block the gate for ever
ROOT = Path(__file__).resolve().parents[2]
_COLUMNS = ["article_id", "version", "url", "host", "text_digest", "text_length", "word_count", "duplicate_kind"]
_SIGNALS = ["duplicate_word_fraction", "link_density"]
NEEDED_COLUMNS = [*_COLUMNS, *_SIGNALS, "title", "duplicate_of", "fetched_at", "published_at"]
"""The columns of article rows from which `suite_rows` makes the columns of the suite."""


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """The result of the suite: whether it succeeded, how many rows it saw, and its whole result as JSON values."""

    success: bool
    rows: int
    result: dict[str, Any]

    def failures(self) -> str:
        """The failed expectations in one line."""
        return "; ".join(_failure(result) for result in self.result["results"] if not result["success"])


def validate_articles(tables: Iterable[pa.Table]) -> SuiteResult:
    """Run the `articles` suite on staged rows. Without rows no process is started. Raises GateError when the suite cannot run."""
    with scratch_folder() as folder:
        rows, result = folder / "rows.parquet", folder / "result.json"
        count = _write_suite_rows(tables, rows)
        if count == 0:
            return SuiteResult(success=True, rows=0, result={"success": True, "results": []})
        _run([str(rows), str(suite_path()), str(result)])
        result_json = json.loads(result.read_text(encoding="utf-8"))
        return SuiteResult(result_json["success"], count, result_json)


def suite_path() -> Path:
    """Where the suite of the `articles` dataset is."""
    return ROOT / "schemas" / "expectations" / "articles.json"


def suite_rows(articles: pa.Table) -> pa.Table:
    """The columns that the suite checks: lengths and flags instead of texts."""
    rows = articles.select(_COLUMNS + _SIGNALS)
    duplicate_of = articles["duplicate_of"]
    latest = pc.add(articles["fetched_at"], pa.scalar(2 * 86_400_000_000, pa.duration("us")))
    flags = {
        "title_length": pc.fill_null(pc.utf8_length(articles["title"]), 0),
        "has_duplicate_of": pc.is_valid(duplicate_of),
        "has_duplicate_kind": pc.is_valid(articles["duplicate_kind"]),
        "is_own_duplicate": pc.fill_null(pc.equal(duplicate_of, articles["article_id"]), fill_value=False),
        "published_in_future": pc.fill_null(pc.greater(articles["published_at"], latest), fill_value=False),
    }
    for name, column in flags.items():
        rows = rows.append_column(name, column)
    return rows


def _write_suite_rows(tables: Iterable[pa.Table], path: Path) -> int:
    writer: pq.ParquetWriter | None = None
    count = 0
    for table in tables:
        rows = suite_rows(table)
        writer = writer or pq.ParquetWriter(path, rows.schema)
        writer.write_table(rows)
        count += rows.num_rows
    if writer is not None:
        writer.close()
    return count


def _run(arguments: list[str]) -> None:
    environment = os.environ | {"GX_ANALYTICS_ENABLED": "False"}
    command = module_command("processing.publish.gate_process", *arguments)
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise GateError(f"The expectation suite did not finish within {TIMEOUT_SECONDS} seconds. Nothing was published.") from error
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise GateError(f"The expectation suite could not run (exit code {done.returncode}): {last}. Nothing was published.")


def _failure(result: dict[str, Any]) -> str:
    columns = result["kwargs"].get("column") or result["kwargs"].get("column_list") or result["kwargs"].get("column_A")
    why = result["exception"] or f"{result['unexpected_count']} rows, first {result['unexpected'][:1]}"
    return f"{result['type']}({columns}): {why}"
