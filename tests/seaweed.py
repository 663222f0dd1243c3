"""A real S3 server on loopback: SeaweedFS, with the command of docker-compose.yml but for where it listens and keeps its files."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import yaml
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from runtime.child_process import die_with_parent
from tests import PROJECT

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

HOST = "127.0.0.1"
REGION = "us-east-1"
ACCESS_KEY, SECRET_KEY = "testing", "testing"
BUCKET = "tests"  # a bucket takes files of its own, and .2 seconds; a prefix takes nothing
SERVERS = ("master", "volume", "filer", "s3")
VOLUME_MEGABYTES = 64  # one volume of that size must be free on the disk
START_SECONDS = 120.0
STARTS = 3  # another process may take a port between our look and the start


@dataclass(frozen=True, slots=True)
class Ports:
    """Of each of the four servers in one process: for HTTP, and for gRPC."""

    http: dict[str, int]
    grpc: dict[str, int]


class NotStartedError(Exception):
    """The server ended by itself, or was not ready in time; with the end of its log."""


@dataclass
class Seaweed:
    """A server with its files and ports. It can be killed, and started again with what it stored."""

    data: Path
    ports: Ports
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL of its S3."""
        return f"http://{HOST}:{self.ports.http['s3']}"

    def start(self) -> None:
        """Start it, and wait until it takes an object. Raises NotStartedError."""
        self.data.mkdir(exist_ok=True)
        (self.data / "s3.json").write_text(json.dumps({"identities": [_identity()]}), encoding="utf-8")
        with (self.data / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command(self.data, self.ports),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.data,
                preexec_fn=die_with_parent,  # noqa: PLW1509 no thread of ours holds a lock that it takes
            )
        _await_first_object(self.process, self.ports, self.data / "log")

    def kill(self) -> None:
        """End it at once: asked to end, it takes 26 seconds."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@contextmanager
def seaweed() -> Iterator[str]:
    """The URL of a server that has taken an object into its bucket BUCKET. It ends, and its files are deleted, with the context."""
    with seaweed_server() as server:
        yield server.url


@contextmanager
def seaweed_server() -> Iterator[Seaweed]:
    """The server itself, for tests that kill it."""
    with tempfile.TemporaryDirectory(prefix="crawlhouse-seaweed-", ignore_cleanup_errors=True) as folder:
        for attempt in range(STARTS):
            ports, data = _free_ports(), Path(folder) / str(attempt)
            with ExitStack() as stack:
                try:
                    server = stack.enter_context(_started(data, ports))
                except NotStartedError:
                    if attempt == STARTS - 1:
                        raise
                    continue
                yield server
                return


def command(data: Path, ports: Ports) -> list[str]:
    """The command of docker-compose.yml, with its addresses, ports and folders replaced."""
    compose = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))
    words = dict(word.partition("=")[::2] for word in compose["services"]["seaweedfs"]["command"])
    words |= {"-dir": str(data), "-ip": HOST, "-ip.bind": HOST, "-s3.config": str(data / "s3.json"), "-filer": "true"}
    words |= {f"-{server}.port": str(port) for server, port in ports.http.items()}
    words |= {f"-{server}.port.grpc": str(port) for server, port in ports.grpc.items()}
    words |= {f"-{server}.localSocket": str(data / f"{server}.sock") for server in ("filer", "s3")}
    words |= {"-master.volumeSizeLimitMB": str(VOLUME_MEGABYTES), "-s3.port.iceberg": "0", "-s3.port.lance": "0"}
    weed = str(Path(sys.executable).with_name("weed"))
    return [weed, "-logtostderr=true", *(f"{name}={value}" if value else name for name, value in words.items())]


@contextmanager
def _started(data: Path, ports: Ports) -> Iterator[Seaweed]:
    server = Seaweed(data, ports)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        for name, port in ports.grpc.items():
            Path(f"/tmp/seaweedfs-{name}-grpc-{port}.sock").unlink(missing_ok=True)
        shutil.rmtree(data, ignore_errors=True)


def _identity() -> dict[str, object]:
    credentials = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
    return {"name": "tests", "actions": ["Admin", "Read", "Write", "List", "Tagging"], "credentials": credentials}


def _await_first_object(server: subprocess.Popen[bytes], ports: Ports, log: Path) -> None:
    """Return once the server has taken an object: its port is open before its volumes can be written."""
    once = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=5)
    keys = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}
    client = boto3.client("s3", endpoint_url=f"http://{HOST}:{ports.http['s3']}", region_name=REGION, config=once, **keys)
    end = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < end:
        try:
            _take_first_object(client)
            return
        except (OSError, BotoCoreError, ClientError):
            time.sleep(0.05)
    raise NotStartedError(f"SeaweedFS did not take an object; its log ends with\n{log.read_text(errors='replace')[-2000:]}")


def _take_first_object(client: S3Client) -> None:
    with suppress(client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
        client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="ready", Body=b"")


def _free_ports() -> Ports:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2 * len(SERVERS))]
        for one in sockets:
            one.bind((HOST, 0))
        numbers = [one.getsockname()[1] for one in sockets]
    return Ports(dict(zip(SERVERS, numbers, strict=False)), dict(zip(SERVERS, numbers[len(SERVERS) :], strict=True)))
