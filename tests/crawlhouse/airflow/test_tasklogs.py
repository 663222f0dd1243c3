"""Logs of Airflow's tasks in a real S3 store: uploaded by the machine of the task, read by another."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawlhouse.airflow.task_logs import StoreLogs
from schemas.config.settings import Settings

PATH = "dag_id=crawl_demo/run_id=manual__2026-01-01T00:00:00+00:00/task_id=fetch/map_index=0/attempt=1.log"


@pytest.fixture(autouse=True)
def environment(s3_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3_settings.model_dump().items():
        monkeypatch.setenv(f"CRAWLHOUSE_{name.upper()}", str(value))


def write(machine: Path, text: str) -> StoreLogs:
    path = machine / PATH
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return StoreLogs(machine)


def test_a_log_is_read_on_another_machine_and_leaves_the_first(tmp_path: Path) -> None:
    assert StoreLogs(tmp_path / "b").read(PATH) == ([], None)
    write(tmp_path / "a", "one\ntwo\n").upload(PATH)
    assert StoreLogs(tmp_path / "b").read(PATH) == ([f"airflow-logs/{PATH}"], ["one\ntwo\n"])
    assert not (tmp_path / "a" / PATH).exists()


def test_an_attempt_that_goes_on_elsewhere_has_one_log(tmp_path: Path) -> None:
    write(tmp_path / "a", "one\n").upload(PATH)
    write(tmp_path / "b", "two\n").upload(PATH)
    write(tmp_path / "b", "one\ntwo\nthree\n").upload(PATH)  # a file that was not removed has it all
    assert StoreLogs(tmp_path / "c").read(PATH)[1] == ["one\ntwo\nthree\n"]


def test_without_the_store_the_log_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRAWLHOUSE_S3_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    logs = write(tmp_path / "a", "one\n")
    logs.upload(PATH)
    assert (tmp_path / "a" / PATH).read_text(encoding="utf-8") == "one\n"
    (message,), text = logs.read(PATH)
    assert "does not answer" in message
    assert text is None
