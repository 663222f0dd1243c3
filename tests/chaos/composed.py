"""The services of docker-compose.yml and compose.worker.yml as processes of this machine, each with its file's own command and environment.

`first` is the machine of docker-compose.yml, all others are machines of compose.worker.yml. Each has a home of its own. Replaced are only
addresses, ports and folders.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import subprocess
import sys
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

from crawlhouse.airflow import processes
from crawlhouse.airflow.api import AirflowApi
from crawlhouse.airflow.home import HOST, USER, AirflowHome, dag_bundles, dags_folder
from schemas.config.settings import Settings
from schemas.credentials.database_url import parse_database_url
from tests import PROJECT
from tests.chaos.servers import BROKER_PASSWORD, Broker, free_port

FIRST = "first"
SECONDS = 240
FILES: dict[bool, dict[str, Any]] = {
    True: yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8")),
    False: yaml.safe_load((PROJECT / "compose.worker.yml").read_text(encoding="utf-8")),
}


@dataclass
class Service:
    """A running service: its first process, and the mark of all its processes."""

    process: subprocess.Popen[bytes]
    mark: str

    def kill(self) -> None:
        """End all its processes by SIGKILL, at once."""
        for process in processes.marked(self.mark):
            process.kill()
        self.process.wait()

    def suspend(self) -> list[psutil.Process]:
        """Stop all its processes, as a machine that sleeps; `resume` lets them go on."""
        frozen = processes.marked(self.mark)
        for process in frozen:
            process.suspend()
        return frozen


@dataclass
class Composed:
    """The cluster. `settings` are those of the first machine, with the addresses of database and store.

    The database is given with its administrator as user, and used with the user that the first step makes for crawlhouse.
    """

    settings: Settings
    broker: Broker
    folder: Path
    url: str = field(default_factory=lambda: f"http://{HOST}:{free_port()}")
    services: list[Service] = field(default_factory=list)
    fetch_concurrency: str = "2"

    def __post_init__(self) -> None:
        self._secrets = {name: secrets.token_hex(16) for name in re.findall(r"\$\{(\w+)", yaml.dump(FILES[True]))}
        self._secrets["AIRFLOW_FERNET_KEY"] = urlsafe_b64encode(secrets.token_bytes(32)).decode()
        self._secrets |= {"FETCH_CONCURRENCY": self.fetch_concurrency, "WORKER_CONCURRENCY": "2", "PRIVATE_ADDRESS": HOST}
        self.admin, self.settings = self.settings.database, _as_user(self.settings, USERS[True])
        self.settings.crawls.mkdir(parents=True, exist_ok=True)

    def initialise(self) -> None:
        """Run the first step to its end."""
        self.run("init")

    def run(self, service: str, *more: str) -> None:
        """Run a service to its end, with further arguments."""
        command = [*self._command(service, FIRST), *more]
        done = subprocess.run(command, env=self.environment(service), cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, service: str, machine: str = FIRST, **more: str) -> Service:
        """Start a service on a machine, which is made if there is none; `more` are further variables of its environment."""
        environment = self.environment(service, machine) | more
        mark = processes.new_mark()
        process = processes.spawn(self._command(service, machine), mark, self.folder / f"{machine}-{service}.log", environment)
        self.services.append(Service(process, mark))
        return self.services[-1]

    def api(self) -> AirflowApi:
        """A client, when the API server answers."""
        transport = httpx.HTTPTransport(retries=10)
        with httpx.Client(transport=transport, trust_env=False, timeout=60) as client:
            client.get(f"{self.url}/api/v2/monitor/health", timeout=SECONDS).raise_for_status()
        return AirflowApi(self.url, USER, self._secrets["AIRFLOW_PASSWORD"])

    def end(self) -> None:
        """End all services at once."""
        for service in self.services:
            processes.end(service.mark, 0.0)

    def home(self, machine: str) -> Path:
        """The home of a machine."""
        return self.folder / machine / "home"

    def environment(self, service: str, machine: str = FIRST) -> dict[str, str]:
        """The environment of a service."""
        given = FILES[machine == FIRST]["services"][service]
        compose = {name: _filled(str(value), self._secrets) for name, value in given["environment"].items()}
        places = {name: value for name, value in self._places(machine).items() if name in compose or name in ALWAYS}
        files = {"SECRETS_FOLDER": str(self._secret_files(machine, given["secrets"]))} if machine != FIRST else self._keys()
        return {**_clean_environment(), **compose, **places, **files}

    def _command(self, service: str, machine: str) -> list[str]:
        """The command of a service, as the image starts it; on loopback and without a server of logs, whose port is fixed."""
        command = list(FILES[machine == FIRST]["services"][service]["command"])
        if command[0] == "python":
            command[0] = sys.executable
        if command[0] == "/clean-database":
            command[0] = str(PROJECT / "image" / "clean-database.sh")
        if service in {"scheduler", "triggerer", "fetcher", "worker"} and "--skip-serve-logs" not in command:
            command.append("--skip-serve-logs")
        if command[:3] == ["airflow", "celery", "worker"]:
            command += ["--celery-hostname", f"{service}@{machine}"]  # as containers, they have names of their own
        return [str(PROJECT / "image" / "entrypoint.sh"), *(HOST if word == "0.0.0.0" else word for word in command)]

    def _places(self, machine: str) -> dict[str, str]:
        home = AirflowHome(self.folder / machine / "airflow")
        home.logs.mkdir(parents=True, exist_ok=True)
        self.home(machine).mkdir(exist_ok=True)
        (self.folder / machine / "tmp").mkdir(exist_ok=True)
        database = home.database_url(_as_user(self.settings, USERS[False]))
        own_crawls = self.settings.crawls if machine == FIRST else self.folder / machine / "crawls"
        return {
            "CRAWLHOUSE_HOME": str(self.home(machine)),
            "CRAWLHOUSE_CRAWLS": str(own_crawls),
            "CRAWLHOUSE_DATASETS": str(own_crawls.parent / "datasets"),
            "CRAWLHOUSE_STORE": self.settings.store,
            "CRAWLHOUSE_DATABASE": self.settings.database,
            "CRAWLHOUSE_S3_ENDPOINT": self.settings.s3_endpoint,
            "AIRFLOW_HOME": str(home.folder),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__PORT": self.url.rpartition(":")[2],
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__CELERY__BROKER_URL": f"redis://:{BROKER_PASSWORD}@{HOST}:{self.broker.port}/0",
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{database}",
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags_folder()),  # the image's own variable
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home.passwords),
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(dag_bundles(self.settings)),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": database,
            "POSTGRES_ADMIN_URL": self.admin,
            "HOSTNAME": socket.gethostname(),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TMPDIR": str(self.folder / machine / "tmp"),
        }

    def _keys(self) -> dict[str, str]:
        return {name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}

    def _secret_files(self, machine: str, names: list[str]) -> Path:
        folder = self.folder / machine / "secrets"
        folder.mkdir(exist_ok=True)
        values = self._places(machine) | self._keys()
        for name in names:
            (folder / name).write_text(values[name] + "\n", encoding="utf-8")
        return folder


ALWAYS = {"AIRFLOW__API__PORT", "AIRFLOW__API__WORKERS", "AIRFLOW__CORE__DAGS_FOLDER", "HOSTNAME", "PATH", "TMPDIR"}


def _user(variable: str) -> str:
    """The user in the URL of a database in docker-compose.yml."""
    url = FILES[True]["services"]["init"]["environment"][variable]
    return re.findall(r"://(\w+):", url)[0]


USERS = {True: _user("CRAWLHOUSE_DATABASE"), False: _user("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN")}  # crawlhouse's own, and Airflow's


def _as_user(settings: Settings, user: str) -> Settings:
    """The same database as another user. The server trusts all who reach its socket, so the password is only set."""
    url = replace(parse_database_url(settings.database), user=user, password="letters1")
    return settings.model_copy(update={"database": url.text()})


def _clean_environment() -> dict[str, str]:
    """The environment of a container: nothing of ours, and no keys."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "AWS_", "CRAWLHOUSE_"))}


def _filled(value: str, known: dict[str, str]) -> str:
    return re.sub(r"\$\{(\w+)[^}]*\}", lambda found: known.get(found[1], ""), value)
