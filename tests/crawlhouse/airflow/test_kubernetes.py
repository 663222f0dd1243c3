"""kubernetes/: its settings are those of docker-compose.yml, and its probes call what the image has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from schemas.config.settings import Settings
from tests import PROJECT

FOLDER = PROJECT / "kubernetes"
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
VALUES: dict[str, Any] = yaml.safe_load((FOLDER / "values.yaml").read_text(encoding="utf-8"))


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8")))


def containers() -> list[dict[str, Any]]:
    """Of the first step, and of the spiders."""
    first = [documents(name)[0] for name in ("init.yaml", "fetcher.yaml")]
    return [document["spec"]["template"]["spec"]["containers"][0] for document in first]


def test_the_settings_are_those_of_compose() -> None:
    compose = COMPOSE["worker"]["environment"] | {"AIRFLOW__CORE__DAGS_FOLDER": "/opt/crawlhouse/dags"}  # the image's own
    own = {"CRAWLHOUSE_STORE", "CRAWLHOUSE_S3_ENDPOINT", "AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "AIRFLOW__CELERY__WORKER_CONCURRENCY"}
    for given in (VALUES["env"], *(container["env"] for container in containers())):
        fixed = {entry["name"]: entry["value"] for entry in given if "value" in entry and entry["name"] not in own}
        assert fixed == {name: compose.get(name) for name in fixed}
        known = {f"CRAWLHOUSE_{name.upper()}" for name in Settings.model_fields}
        assert {entry["name"] for entry in given if entry["name"].startswith("CRAWLHOUSE_")} <= known


def test_every_queue_has_workers() -> None:
    fetcher = containers()[1]["args"]
    assert VALUES["workers"]["args"][-1] == COMPOSE["worker"]["command"][-1]
    assert fetcher[-1] == COMPOSE["fetcher"]["command"][-1]
    for queue in VALUES["workers"]["args"][-1].split(","):
        assert f"'{queue}'" in VALUES["workers"]["keda"]["query"]


def test_probes_call_what_the_image_has() -> None:
    dockerfile = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
    entry = Path(PROJECT / "image" / "entrypoint.sh").read_text(encoding="utf-8")
    assert "COPY image/entrypoint.sh /entrypoint" in dockerfile
    assert "COPY image/clean-logs.sh /clean-logs" in dockerfile  # the chart's log groomers run it
    for name in ("scheduler", "dagProcessor", "triggerer"):
        program, subcommand, *_ = VALUES[name]["livenessProbe"]["command"]
        assert program == "/entrypoint"
        assert f"|{subcommand}|" in entry
    ping = COMPOSE["worker"]["healthcheck"]["test"][1].partition(' -d "')[0]
    assert VALUES["workers"]["livenessProbe"]["command"][-1].startswith(ping)
    assert all(container["image"] == COMPOSE["worker"]["image"] for container in containers())
    assert f"{VALUES['images']['airflow']['repository']}:{VALUES['images']['airflow']['tag']}" == COMPOSE["worker"]["image"]
