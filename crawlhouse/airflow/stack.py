"""The local stack: Airflow's four components on this machine, on loopback only. They are started, watched and ended together."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from crawlhouse.airflow import processes
from crawlhouse.airflow.api import AirflowApi
from crawlhouse.airflow.database import migrate
from crawlhouse.airflow.home import (
    FETCH_POOL,
    FETCH_POOL_SLOTS,
    HOST,
    PROCESS_POOL,
    SHORT_POOL,
    SHORT_POOL_SLOTS,
    USER,
    AirflowHome,
    airflow_home,
    parallel_tasks,
    write_private,
)
from runtime.command_line import module_command
from schemas.config.settings import Settings, make_private_folder
from schemas.errors import ConflictError, StorageError, UnavailableError
from schemas.numbers import format_bytes

DEFAULT_PORT = 8080
MIN_FREE_BYTES = 32 * 1000 * 1000  # the size of its database and its first logs
START_TIMEOUT_SECONDS = 300.0  # many times what a quiet machine needs
STOP_GRACE_SECONDS = 11.0  # `stop` promises 15 s, and a component needs 4
POLL_SECONDS = 0.5
PORTS_TRIED = 50  # to name a free one in the error
LOG_LINES = 10  # of each log in an error's message
COMPONENTS = {"metadatabase": "database", "scheduler": "scheduler", "dag_processor": "DAG processor", "triggerer": "triggerer"}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stack:
    """A local Airflow: the URL of its UI, its user and password, the folder of its logs, and the status of its components."""

    url: str
    user: str
    password: str
    logs: str
    port: int
    health: dict[str, str]

    def api(self) -> AirflowApi:
        """A client of its REST API."""
        return AirflowApi(self.url, self.user, self.password)

    @property
    def healthy(self) -> bool:
        """Whether every component says that it is healthy."""
        return bool(self.health) and all(self.health.get(name) == "healthy" for name in COMPONENTS)


@dataclass(frozen=True, slots=True)
class _State:
    """What a start writes to the disk for `status` and `stop`."""

    mark: str
    port: int


def start(settings: Settings, port: int = DEFAULT_PORT, say: Say = lambda _: None) -> Stack:
    """Start Airflow and wait until it is healthy. `say` is called with the progress.

    Raises ConflictError when it runs already or the port is taken, StorageError for a home or a store that cannot be written, and
    UnavailableError when the store or the database does not answer, or when Airflow does not become healthy. On an error everything that
    was started is ended.
    """
    home = airflow_home(settings)
    lock = _lock(home, settings)
    mark = processes.new_mark()
    try:
        _end_interrupted_start(home, say)
        _check_port(port)
        _check_resources(settings)
        home.prepare(settings, port)
        write_private(_state_path(home), json.dumps(asdict(_State(mark, port))) + "\n")
        environment = home.environment(settings)
        say("Preparing Airflow's database")
        migrate(home, settings, mark, environment)
        command = module_command("crawlhouse.airflow.stack_runner", str(home.logs))
        processes.spawn(command, mark, home.logs / "stack.log", environment, pass_fds=[lock])
        return _wait_until_healthy(home, port, mark, say)
    except BaseException:
        processes.end(mark, STOP_GRACE_SECONDS)
        raise
    finally:
        os.close(lock)  # the runner has inherited the lock and holds it until it ends


def stop(settings: Settings) -> bool:
    """End everything that `start` started, within 15 seconds. False when nothing ran."""
    home = airflow_home(settings)
    state = _read_state(home)
    if state is None:
        return False
    ended = processes.end(state.mark, STOP_GRACE_SECONDS)
    _state_path(home).unlink(missing_ok=True)
    return ended > 0


def is_running(settings: Settings) -> bool:
    """Whether a process of this home's Airflow runs. It sends no request."""
    state = _read_state(airflow_home(settings))
    return state is not None and bool(processes.marked(state.mark))


def status(settings: Settings) -> Stack | None:
    """The running stack, or None. A component that does not answer has no status."""
    home = airflow_home(settings)
    state = _read_state(home)
    if state is None or not processes.marked(state.mark):
        return None
    return _stack(home, state.port)


def _stack(home: AirflowHome, port: int, since: datetime | None = None) -> Stack:
    url, password = home.url(port), home.password()
    try:
        with AirflowApi(url, USER, password) as api:
            health = api.health(since)
    except UnavailableError:
        health = {}
    return Stack(url, USER, password, str(home.logs), port, health)


def _lock(home: AirflowHome, settings: Settings) -> int:
    try:
        make_private_folder(settings.home)
        home.folder.mkdir(exist_ok=True)
        handle = os.open(home.folder / "stack.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StorageError(f"{home.folder} cannot be written ({error.strerror}); set CRAWLHOUSE_HOME to a folder that can.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        state = _read_state(home)
        where = f"runs already at {home.url(state.port)}" if state else "is being started by another command"
        raise ConflictError(f"Airflow {where} (home {settings.home}). Use it, or stop it with `crawlhouse down`.") from error
    return handle


def _end_interrupted_start(home: AirflowHome, say: Say) -> None:
    state = _read_state(home)
    if state is not None and processes.marked(state.mark):
        say("Ending the processes of an interrupted start")
        processes.end(state.mark, STOP_GRACE_SECONDS)
    _state_path(home).unlink(missing_ok=True)


def _check_port(port: int) -> None:
    if _is_free(port):
        return
    other = next((candidate for candidate in range(port + 1, port + PORTS_TRIED) if _is_free(candidate)), port + 1)
    raise ConflictError(f"Port {port} on {HOST} is taken by another program. Choose another: `crawlhouse up --port {other}`.")


def _check_resources(settings: Settings) -> None:
    """Check disk, store and database before anything is started. Raises UnavailableError, StorageError, ConflictError."""
    from storage.database.engine import check_version
    from storage.ledger.ledger import open_ledger
    from storage.objects.open import open_store

    free = shutil.disk_usage(airflow_home(settings).folder).free
    if free < MIN_FREE_BYTES:
        raise StorageError(
            f"The disk of {settings.home} has {format_bytes(free)} free; Airflow needs {format_bytes(MIN_FREE_BYTES)} for its database "
            "and logs. Free some space, or set CRAWLHOUSE_HOME elsewhere."
        )
    open_store(settings).check()
    if settings.database:
        open_ledger(settings).close()
    else:
        check_version(settings)


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            return False
    return True


def _wait_until_healthy(home: AirflowHome, port: int, mark: str, say: Say) -> Stack:
    healthy: set[str] = set()
    since = datetime.now(UTC)  # heartbeats from before a restart do not count
    say("Starting Airflow")
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        stack = _stack(home, port, since)
        for name in [name for name in COMPONENTS if stack.health.get(name) == "healthy" and name not in healthy]:
            healthy.add(name)
            say(f"{COMPONENTS[name]} is up ({len(healthy)} of {len(COMPONENTS)})")
        if stack.healthy:
            _make_pools(stack)
            return stack
        if not processes.marked(mark):
            break
        time.sleep(POLL_SECONDS)
    raise UnavailableError(f"Airflow did not become healthy; its logs are in {home.logs}.{_tails(home.logs)}")


def _make_pools(stack: Stack) -> None:
    with stack.api() as api:
        api.make_pool(FETCH_POOL, FETCH_POOL_SLOTS, "Fetch workers that run at once")
        api.make_pool(PROCESS_POOL, parallel_tasks(), "Processing tasks that run at once")
        api.make_pool(SHORT_POOL, SHORT_POOL_SLOTS, "Tasks that plan and close")


def _tails(logs: Path) -> str:
    tails = ""
    for log in sorted(logs.glob("*.log")):
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
        tails += "".join(f"\n{log.name}: {line}" for line in lines)
    return tails


def _state_path(home: AirflowHome) -> Path:
    return home.folder / "stack.json"


def _read_state(home: AirflowHome) -> _State | None:
    try:
        return _State(**json.loads(_state_path(home).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None
