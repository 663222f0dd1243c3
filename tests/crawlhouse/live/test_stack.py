"""The local stack with a real Airflow: loopback only, one at a time, ended completely, repaired after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crawlhouse.airflow import processes, stack
from crawlhouse.airflow.home import airflow_home
from schemas.config.settings import Settings
from schemas.errors import ConflictError, NotFoundError, StorageError, UnavailableError
from tests.crawlhouse.live.livestack import FOREIGN, command_line, free_port, listening, mark
from tests.foreignfolder import imported_names

pytestmark = [pytest.mark.airflow, pytest.mark.system, pytest.mark.xdist_group("airflow"), pytest.mark.timeout(900)]

Live = tuple[Settings, stack.Stack]


def test_it_is_healthy_and_its_dags_are_there(live_stack: Live) -> None:
    _, running = live_stack
    assert running.healthy
    with running.api() as api:
        for dag in ("crawl_demo", "process_demo", "maintain_lake"):
            api.wait_for_dag(dag, timeout=120)
        with pytest.raises(NotFoundError, match=r"bad.yaml: line 2: unknown key 'speed'"):
            api.wait_for_dag("crawl_bad", timeout=0)


def test_its_tests_are_one_group(request: pytest.FixtureRequest) -> None:
    """A pytest that xdist cannot tell its groups would start one Airflow per worker, and say nothing."""
    grouped = bool(getattr(request.config.option, "loadgroup", False))
    assert request.node.nodeid.endswith("@airflow") == grouped


def test_nothing_listens_beyond_loopback(live_stack: Live) -> None:
    settings, running = live_stack
    addresses = [address for process in processes.marked(mark(settings)) for address in listening(process)]
    assert running.port in {address.port for address in addresses}
    assert {address.ip for address in addresses} == {"127.0.0.1"}


def test_nothing_is_imported_from_the_folder_in_which_it_was_started(live_stack: Live) -> None:
    settings, _ = live_stack
    foreign = settings.home.parent / FOREIGN
    folders = {process.cwd() for process in processes.marked(mark(settings))}
    assert str(foreign) in folders
    assert imported_names(foreign) == ""


def test_its_secrets_are_its_owners_alone(live_stack: Live) -> None:
    folder = Path(live_stack[1].logs).parent
    for name in ("passwords.json", "secrets.json", "airflow.cfg"):
        assert (folder / name).stat().st_mode & 0o077 == 0, name
    assert folder.stat().st_mode & 0o077 == 0


def test_a_second_start_says_where_the_first_is(live_stack: Live) -> None:
    settings, running = live_stack
    with pytest.raises(ConflictError, match=f"runs already at {running.url}"):
        stack.start(settings, free_port())
    assert stack.status(settings) == running


def test_a_taken_port_is_named_with_another(live_stack: Live, tmp_path: Path) -> None:
    port = live_stack[1].port
    other = Settings(home=tmp_path / "var", crawls=tmp_path, database="", store="")
    with pytest.raises(ConflictError, match=rf"Port {port} .* --port \d+"):
        stack.start(other, port)
    assert stack.status(other) is None


@pytest.mark.chaos
def test_a_killed_component_comes_back(live_stack: Live) -> None:
    settings, _ = live_stack

    def triggerers() -> set[int]:
        return {process.pid for process in processes.marked(mark(settings)) if "triggerer" in command_line(process)}

    before = triggerers()
    assert before
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while not triggerers() - before:
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.chaos
def test_a_start_that_is_killed_twice_over_is_repaired_and_ends_whole(tmp_path: Path) -> None:
    (tmp_path / "crawls").mkdir()
    settings = Settings(home=tmp_path / "var", crawls=tmp_path / "crawls", database="", store="")
    _kill_while_the_tables_are_made(settings)
    first = mark(settings)
    assert processes.marked(first)
    try:
        assert stack.start(settings, free_port()).healthy
        assert not processes.marked(first)
        second = mark(settings)
        _kill_the_runner_and_damage_the_home(settings)
        assert processes.marked(second)
        assert stack.start(settings, free_port()).healthy
        assert not processes.marked(second)
    finally:
        last = mark(settings)
        began = time.monotonic()
        assert stack.stop(settings)
        assert time.monotonic() - began < 15
    assert not processes.marked(last)
    assert stack.status(settings) is None
    assert not stack.stop(settings)


def _kill_while_the_tables_are_made(settings: Settings) -> None:
    code = "import sys; from crawlhouse import stack; stack.start(stack.Settings(), int(sys.argv[1]))"
    environment = {**os.environ, "CRAWLHOUSE_HOME": str(settings.home), "CRAWLHOUSE_CRAWLS": str(settings.crawls)}
    starting = subprocess.Popen([sys.executable, "-c", code, str(free_port())], env=environment)
    database = settings.home / "airflow" / "airflow.db"
    while not (database.exists() and database.stat().st_size > 0):
        assert starting.poll() is None
        time.sleep(0.02)
    starting.kill()
    starting.wait()


def _kill_the_runner_and_damage_the_home(settings: Settings) -> None:
    for process in processes.marked(mark(settings)):
        if "crawlhouse.airflow.stack_runner" in command_line(process):
            process.kill()
    home = airflow_home(settings)
    home.passwords.write_text('{"adm', encoding="utf-8")
    home.config.write_text("[core", encoding="utf-8")


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file", encoding="utf-8")
    settings = Settings(home=tmp_path / "var", crawls=tmp_path, database="", store="")
    with pytest.raises(StorageError, match="set CRAWLHOUSE_HOME"):
        stack.start(settings, free_port())


def test_a_full_disk_is_told_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "MIN_FREE_BYTES", 10**18)
    settings = Settings(home=tmp_path / "var", crawls=tmp_path, database="", store="")
    with pytest.raises(StorageError, match=r"The disk of .*/var has [\d.]+ GB free; Airflow needs .* Free some space"):
        stack.start(settings, free_port())
    assert not (settings.home / "airflow" / "airflow.cfg").exists()


def test_a_store_or_a_database_that_is_not_there_is_told_before_anything_starts(
    tmp_path: Path, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    no_bucket = Settings(home=tmp_path / "a", crawls=tmp_path, database="", store="s3://no-such-bucket", s3_endpoint=s3_endpoint)
    no_server = Settings(home=tmp_path / "b", crawls=tmp_path, database=f"postgresql://me@127.0.0.1:{free_port()}/lake", store="")
    for settings, message in ((no_bucket, "there is no bucket 'no-such-bucket'. Create it"), (no_server, "does not answer: .*Start it")):
        with pytest.raises(UnavailableError, match=message):
            stack.start(settings, free_port())
        assert stack.status(settings) is None
        assert not (settings.home / "airflow" / "airflow.cfg").exists()
