"""The judge server: gates are answered by processes that it forks, and by ones of their own where there is none."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from processing.expectations.batches import RowsToJudge
from processing.expectations.expectations import judge_dataset
from processing.expectations.judge_server import ADDRESS, connect, start_server
from processing.expectations.suite_result import SuiteResult
from schemas.datasets.dataset import Dataset
from schemas.errors import GateError
from tests.storage.lakerows import table_of

GOOD = {"article_id": "a" * 32, "text_digest": "0" * 32, "url": "https://a.example/1", "title": "A title"}
BAD = {**GOOD, "article_id": "b" * 32, "url": "https://a.example/2", "word_count": 0}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server for this test; its process id."""
    monkeypatch.setenv(ADDRESS, "")
    process = start_server()
    yield process.pid
    process.kill()
    process.wait()


def judged(*rows: dict[str, object]) -> SuiteResult:
    return judge_dataset(RowsToJudge(Dataset(name="articles"), [table_of("articles", *rows)], ["crawl_run"]))


def test_rows_are_judged_by_a_forked_process(server: int) -> None:
    _wait_for_server()
    result = judged(GOOD, BAD)
    assert result.failures() == (
        "expect_column_values_to_be_between(word_count): 1 row, expected to be at least 1; first from https://a.example/2 (word_count 0)"
    )
    assert judged(GOOD).success
    found = connect()
    assert found is not None
    connection, process_id = found
    connection.close()
    assert process_id != server
    os.kill(server, signal.SIGKILL)
    os.waitpid(server, 0)
    assert connect() is None
    assert judged(GOOD).success, "by a process of its own"


def test_a_forked_process_that_dies_stops_the_gate(server: int, monkeypatch: pytest.MonkeyPatch) -> None:
    _wait_for_server()
    found = connect()
    assert found is not None
    monkeypatch.setattr("processing.expectations.judge_process.connect", lambda: found)
    os.kill(found[1], signal.SIGKILL)
    with pytest.raises(GateError, match=rf"could not be judged \(process {found[1]}\): it ended"):
        judged(GOOD)


def _wait_for_server() -> None:
    deadline = time.monotonic() + 60
    while not Path(os.environ[ADDRESS]).exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
