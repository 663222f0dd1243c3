"""A small client of Airflow's REST API: log in, trigger a DAG run, wait for it, read its tasks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from schemas.errors import ConfigError, NotFoundError, UnavailableError

TIMEOUT_SECONDS = 90.0  # of one request; on a busy machine the API server answers slowly while all components start
TRIES = 4  # with pauses of 1, 2 and 3 s, after a server error
POLL_SECONDS = 1.0
FINISHED = {"success", "failed"}
PAGE = 100  # entries of one response; Airflow allows no more
CREATED, CONFLICT, FORBIDDEN, NOT_FOUND, SERVER_ERROR = 201, 409, 403, 404, 500


@dataclass(frozen=True, slots=True)
class DagRun:
    """A DAG run: `state` is Airflow's word (queued, running, success, failed)."""

    dag_id: str
    run_id: str
    state: str


@dataclass(frozen=True, slots=True)
class TaskState:
    """A task instance. `map_index` is -1 if the task is not mapped, `state` is empty until the scheduler looks at it."""

    task_id: str
    map_index: int
    state: str


class AirflowApi:
    """Airflow's REST API as one user. Close it, or use it in a `with`."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self._login = {"username": user, "password": password}
        self._client = httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS, trust_env=False)

    def __enter__(self) -> AirflowApi:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._client.close()

    def health(self, since: datetime | None = None) -> dict[str, str]:
        """The status of each component (`healthy`, `unhealthy` or empty). Raises UnavailableError.

        With `since`, a component is healthy only if it had a heartbeat after that time.
        """
        health = self._send("GET", "/api/v2/monitor/health").json()
        return {name: _status(component or {}, since) for name, component in health.items()}

    def make_pool(self, name: str, slots: int, description: str) -> None:
        """Create a pool. A pool that exists is not changed."""
        body = {"name": name, "slots": slots, "description": description}
        self._call("POST", "/api/v2/pools", body, accept={CONFLICT})

    def wait_for_dag(self, dag_id: str, timeout: float) -> None:
        """Wait until the DAG processor has found a DAG. Raises NotFoundError with the import errors."""
        deadline = time.monotonic() + timeout
        while self._call("GET", f"/api/v2/dags/{dag_id}", accept={NOT_FOUND}).status_code == NOT_FOUND:
            if time.monotonic() > deadline:
                raise NotFoundError(f"Airflow has no DAG {dag_id!r} after {timeout:.0f} s. {self._import_errors()}")
            time.sleep(POLL_SECONDS)

    def unpause(self, dag_id: str) -> None:
        """Let a DAG be scheduled. Raises NotFoundError."""
        self._call("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": False})

    def pause(self, dag_id: str) -> None:
        """Keep a DAG from being scheduled: by its time, or by an Asset's event, which then starts no run later either."""
        self._call("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": True})

    def trigger(self, dag_id: str, params: Mapping[str, object] | None = None) -> DagRun:
        """Start a DAG run now. Raises NotFoundError for no such DAG."""
        run_id = f"crawlhouse__{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"  # made here, so that a retried request starts no second run
        body = {"dag_run_id": run_id, "logical_date": None, "conf": dict(params or {})}
        self._call("POST", f"/api/v2/dags/{dag_id}/dagRuns", body, accept={CONFLICT})
        return self.dag_run(dag_id, run_id)

    def dag_run(self, dag_id: str, run_id: str) -> DagRun:
        """One DAG run as it is now. Raises NotFoundError."""
        return _dag_run(self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}").json())

    def dag_runs(self, dag_id: str, after: datetime | None = None) -> list[DagRun]:
        """The runs of a DAG, newest first. With `after`, only those made at or after that time."""
        query: dict[str, str | int] = {"order_by": "-run_after", "limit": PAGE}
        if after is not None:
            query["run_after_gte"] = after.astimezone(UTC).isoformat()
        answer = self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns", query=query).json()
        return [_dag_run(run) for run in answer["dag_runs"]]

    def tasks(self, run: DagRun) -> list[TaskState]:
        """The task instances of a run."""
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances"
        return [TaskState(task["task_id"], task["map_index"], task["state"] or "") for task in self._pages(path, "task_instances")]

    def xcom(self, run: DagRun, task_id: str, key: str = "return_value") -> object:
        """The value that a task returned. Raises NotFoundError."""
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}/xcomEntries/{key}"
        return self._call("GET", path, query={"deserialize": "true"}).json()["value"]

    def wait(self, run: DagRun, timeout: float, progress: Callable[[DagRun, list[TaskState]], None] | None = None) -> DagRun:
        """Wait for the end of a run, and call `progress` every second. Raises UnavailableError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            now = self.dag_run(run.dag_id, run.run_id)
            if progress is not None:
                progress(now, self.tasks(now))
            if now.state in FINISHED:
                return now
            if time.monotonic() > deadline:
                raise UnavailableError(f"{run.dag_id} has not ended within {timeout:.0f} s; look at {self.url}/dags/{run.dag_id}.")
            time.sleep(POLL_SECONDS)

    def _pages(self, path: str, name: str) -> Iterator[Any]:  # Any: a JSON object
        offset = 0
        while True:
            answer = self._call("GET", path, query={"limit": PAGE, "offset": offset}).json()
            yield from answer[name]
            offset += PAGE
            if offset >= answer["total_entries"]:
                return

    def _import_errors(self) -> str:
        errors = self._call("GET", "/api/v2/importErrors").json()["import_errors"]
        if not errors:
            return f"Look at {self.url} and at the logs of the DAG processor."
        return "Import errors: " + "; ".join(str(error["stack_trace"]).strip().splitlines()[-1] for error in errors)

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        query: Mapping[str, str | int] | None = None,
        accept: frozenset[int] | set[int] = frozenset(),
    ) -> httpx.Response:
        if "Authorization" not in self._client.headers:
            self._log_in()
        for attempt in range(1, TRIES + 1):
            answer = self._send(method, path, body, query)
            if answer.is_success or answer.status_code in accept:
                return answer
            if answer.status_code < SERVER_ERROR or attempt == TRIES:
                break
            time.sleep(attempt)
        raise self._error(answer, f"{method} {path}")

    def _log_in(self) -> None:
        answer = self._send("POST", "/auth/token", self._login)
        if answer.status_code != CREATED:
            raise ConfigError(f"Airflow at {self.url} does not take the password of {self._login['username']!r}: {answer.text[:200]}.")
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def _send(
        self, method: str, path: str, body: Mapping[str, object] | None = None, query: Mapping[str, str | int] | None = None
    ) -> httpx.Response:
        try:
            return self._client.request(method, path, json=body, params=query)
        except httpx.TransportError as error:
            raise UnavailableError(f"Airflow at {self.url} does not answer ({error}); start it with `crawlhouse up`.") from error

    def _error(self, answer: httpx.Response, what: str) -> Exception:
        detail = f"{what} returned {answer.status_code}: {answer.text[:300]}"
        if answer.status_code == NOT_FOUND:
            return NotFoundError(f"Airflow at {self.url} does not have it: {detail}.")
        if answer.status_code >= SERVER_ERROR:
            return UnavailableError(f"Airflow at {self.url} failed: {detail}.")
        return ConfigError(f"Airflow at {self.url} refused: {detail}.")


def _dag_run(data: Any) -> DagRun:  # Any: a JSON object
    return DagRun(data["dag_id"], data["dag_run_id"], data["state"])


def _status(part: Mapping[str, str | None], since: datetime | None) -> str:
    beats = [value for name, value in part.items() if name.startswith("latest_")]
    if since is not None and any(beat is None or datetime.fromisoformat(beat) < since for beat in beats):
        return "starting"
    return part.get("status") or ""
