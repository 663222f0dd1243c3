"""The local stack with a real Airflow: loopback only, one at a time, ended whole, repaired after a kill."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from crawlhouse import processes, stack
from crawlhouse.airflowhome import airflow_home
from schemas.errors import ConflictError, NotFoundError, StorageError
from schemas.settings import Settings

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow"), pytest.mark.timeout(400)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("stack")
    (folder / "crawls").mkdir()
    (folder / "crawls" / "good.yaml").write_text("seeds: [http://127.0.0.1:9/]\n", encoding="utf-8")
    (folder / "crawls" / "bad.yaml").write_text("seeds: [http://127.0.0.1:9/]\nspeed: 3\n", encoding="utf-8")
    return Settings(home=folder / "var", crawls=folder / "crawls", database="", store="")


@pytest.fixture(scope="module")
def running(settings: Settings) -> Iterator[stack.Stack]:
    try:
        yield stack.start(settings, free_port())
    finally:
        stack.stop(settings)


def _mark(settings: Settings) -> str:
    state = stack._read_state(airflow_home(settings))
    assert state is not None
    return state.mark


def test_it_is_healthy_and_its_dags_are_there(running: stack.Stack) -> None:
    assert running.healthy
    with running.api() as api:
        for dag in ("crawl_good", "process_good", "maintain_lake"):
            api.wait_for_dag(dag, timeout=60)
        with pytest.raises(NotFoundError, match=r"bad.yaml: line 2: unknown key 'speed'"):
            api.wait_for_dag("crawl_bad", timeout=0)


def test_nothing_listens_beyond_loopback(running: stack.Stack, settings: Settings) -> None:
    listening = [
        connection.laddr
        for process in processes.marked(_mark(settings))
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert (running.port, {address.ip for address in listening}) == (running.port, {"127.0.0.1"})


def test_its_secrets_are_its_owners_alone(running: stack.Stack) -> None:
    folder = Path(running.logs).parent
    for name in ("passwords.json", "secrets.json", "airflow.cfg"):
        assert (folder / name).stat().st_mode & 0o077 == 0, name
    assert folder.stat().st_mode & 0o077 == 0


def test_a_second_start_says_where_the_first_is(running: stack.Stack, settings: Settings) -> None:
    with pytest.raises(ConflictError, match=f"runs already at {running.url}"):
        stack.start(settings, free_port())
    assert stack.status(settings) == running


def test_a_taken_port_is_named_with_another(running: stack.Stack, tmp_path: Path) -> None:
    other = Settings(home=tmp_path / "var", crawls=tmp_path, database="", store="")
    with pytest.raises(ConflictError, match=rf"Port {running.port} .* --port \d+"):
        stack.start(other, running.port)
    assert stack.status(other) is None


def test_a_killed_component_comes_back(running: stack.Stack, settings: Settings) -> None:
    def triggerers() -> set[int]:
        return {process.pid for process in processes.marked(_mark(settings)) if "triggerer" in process.cmdline()}

    before = triggerers()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while not triggerers() - before:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert running.url


def test_a_killed_start_is_repaired_and_stopping_ends_everything(running: stack.Stack, settings: Settings) -> None:
    mark = _mark(settings)
    for process in processes.marked(mark):
        if "crawlhouse.stackrunner" in process.cmdline():
            process.kill()
    home = airflow_home(settings)
    home.passwords.write_text('{"adm', encoding="utf-8")
    home.config.write_text("[core", encoding="utf-8")
    assert processes.marked(mark)
    again = stack.start(settings, running.port)
    assert again.healthy
    assert not processes.marked(mark)
    mark = _mark(settings)
    began = time.monotonic()
    assert stack.stop(settings)
    assert time.monotonic() - began < 15
    assert not processes.marked(mark)
    assert stack.status(settings) is None
    assert not stack.stop(settings)


def test_a_start_killed_while_it_made_the_tables_is_repaired(tmp_path: Path) -> None:
    (tmp_path / "crawls").mkdir()
    settings = Settings(home=tmp_path / "var", crawls=tmp_path / "crawls", database="", store="")
    code = "import sys; from crawlhouse import stack; stack.start(stack.Settings(), int(sys.argv[1]))"
    environment = {**os.environ, "CRAWLHOUSE_HOME": str(settings.home), "CRAWLHOUSE_CRAWLS": str(settings.crawls)}
    starting = subprocess.Popen([sys.executable, "-c", code, str(free_port())], env=environment)
    database = settings.home / "airflow" / "airflow.db"
    while not (database.exists() and database.stat().st_size > 0):
        assert starting.poll() is None
        time.sleep(0.05)
    starting.kill()
    starting.wait()
    assert processes.marked(_mark(settings))
    try:
        assert stack.start(settings, free_port()).healthy
    finally:
        stack.stop(settings)


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file", encoding="utf-8")
    settings = Settings(home=tmp_path / "var", crawls=tmp_path, database="", store="")
    with pytest.raises(StorageError, match="set CRAWLHOUSE_HOME"):
        stack.start(settings, free_port())
