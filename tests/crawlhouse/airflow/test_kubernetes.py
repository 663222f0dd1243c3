"""kubernetes/: its settings are those of docker-compose.yml, and its probes call what the image has."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.config.settings import Settings
from tests import PROJECT

FOLDER = PROJECT / "kubernetes"
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
WORKER: dict[str, Any] = yaml.safe_load((PROJECT / "compose.worker.yml").read_text(encoding="utf-8"))["services"]
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


def test_no_setting_of_compose_is_missing() -> None:
    """But for those with compose's own value as default, those of servers that Kubernetes has elsewhere, and those that the chart sets."""
    chart = {"CORE__EXECUTOR", "CORE__FERNET_KEY", "CORE__EXECUTION_API_SERVER_URL", "CELERY__BROKER_URL", "CELERY__RESULT_BACKEND"}
    chart |= {"API__SECRET_KEY", "API_AUTH__JWT_SECRET", "API__BASE_URL", "API__INSTANCE_NAME", "DATABASE__SQL_ALCHEMY_CONN"}
    values = {"CORE__SIMPLE_AUTH_MANAGER_USERS", "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE", "DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"}
    given = {entry["name"] for entry in VALUES["env"]} | {entry["envName"] for entry in VALUES["secret"]}
    assert airflows(COMPOSE["worker"]["environment"]) - airflows(given) == chart | values
    spiders = {entry["name"] for entry in containers()[1]["env"]}
    assert airflows(WORKER["fetcher"]["environment"]) <= airflows(spiders)


def airflows(names: Iterable[str]) -> set[str]:
    return {name.removeprefix("AIRFLOW__") for name in names if name.startswith("AIRFLOW__")}


def test_own_dags_are_loaded_and_old_rows_removed() -> None:
    ours, own = VALUES["dagProcessor"]["dagBundleConfigList"]
    first, second = json.loads(COMPOSE["dag-processor"]["environment"]["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"])
    assert (ours["name"], ours["classpath"], own) == (first["name"], first["classpath"], second)
    assert VALUES["databaseCleanup"]["enabled"]
    assert VALUES["databaseCleanup"]["args"] == [*COMPOSE["upkeep"]["command"], "once"]


def test_the_workers_have_datasets_and_the_addresses_of_channels() -> None:
    mounted = {mount["mountPath"]: mount["name"] for mount in VALUES["volumeMounts"]}
    kinds = {volume["name"]: volume for volume in VALUES["volumes"]}
    for variable in ("CRAWLHOUSE_CRAWLS", "CRAWLHOUSE_DATASETS"):
        (place,) = (entry["value"] for entry in VALUES["env"] if entry["name"] == variable)
        assert kinds[mounted[place]]["configMap"]["name"] == mounted[place]
    (given,) = yaml.safe_load(VALUES["extraEnvFrom"])
    assert given["secretRef"] == {"name": "crawlhouse-channels", "optional": True}  # a project without `notify` needs none


def test_every_queue_has_workers() -> None:
    fetcher = containers()[1]["args"]
    assert VALUES["workers"]["celery"]["args"][-1] == COMPOSE["worker"]["command"][-1]
    assert fetcher[-1] == COMPOSE["fetcher"]["command"][-1]
    for queue in VALUES["workers"]["celery"]["args"][-1].split(","):
        assert f"'{queue}'" in VALUES["workers"]["celery"]["keda"]["query"]


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
    assert VALUES["workers"]["celery"]["livenessProbe"]["command"][-1].startswith(ping)
    assert all(container["image"] == COMPOSE["worker"]["image"] for container in containers())
    assert f"{VALUES['images']['airflow']['repository']}:{VALUES['images']['airflow']['tag']}" == COMPOSE["worker"]["image"]


def test_every_pod_has_a_driver_for_both_of_airflows_connections() -> None:
    """Without the second, Airflow makes one of the first by a driver that the image does not have."""
    lock = (PROJECT / "requirements.lock").read_text(encoding="utf-8")
    assert "\nasyncpg==" not in lock
    assert {entry["envName"] for entry in VALUES["secret"]} >= {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"}
    for container in containers():
        names = {entry["name"] for entry in container["env"]}
        assert names >= {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"}


def test_the_auth_manager_is_one_that_the_image_has() -> None:
    package, *names, manager = VALUES["config"]["core"]["auth_manager"].split(".")
    found = find_spec(package)  # without importing it, which takes seconds
    assert found is not None
    module = Path((found.submodule_search_locations or [""])[0]).joinpath(*names).with_suffix(".py")
    assert f"class {manager}(" in module.read_text(encoding="utf-8")
    assert not VALUES["createUserJob"]["enabled"]  # it needs another one


@pytest.fixture(scope="module")
def rendered() -> list[dict[str, Any]]:
    """What Helm makes of the values, if AIRFLOW_CHART names the chart's archive and the package helm-python-sdk is installed."""
    chart = os.environ.get("AIRFLOW_CHART", "")
    if not chart:
        pytest.skip("AIRFLOW_CHART names no archive of Airflow's Helm chart (airflow-1.21.0.tgz): the values are not rendered")
    made = pytest.importorskip("helm_python", reason="helm-python-sdk is not installed: the values are not rendered").Chart.load(chart)
    made.validate_schema(VALUES)
    files, plain = (made.render(values, name="airflow", namespace="default") for values in (VALUES, {}))
    warnings = [[line for line in one["airflow/templates/NOTES.txt"].splitlines() if "renamed" in line] for one in (files, plain)]
    assert set(warnings[0]) <= set(warnings[1])  # the chart may warn about its own defaults, not about our values
    texts = (text for name, text in files.items() if name.endswith(".yaml"))
    return [document for text in texts for document in yaml.safe_load_all(text) if document]


def test_helm_renders_the_values(rendered: list[dict[str, Any]]) -> None:
    made = {(one["kind"], one["metadata"]["name"]): one for one in rendered}
    assert ("Job", "airflow-create-user") not in made
    pods = {name: made["Deployment", f"airflow-{name}"]["spec"]["template"]["spec"] for name in ("worker", "scheduler", "api-server")}
    assert all(pod["securityContext"]["runAsUser"] == 1000 for pod in pods.values())
    assert pods["worker"]["containers"][0]["args"] == VALUES["workers"]["celery"]["args"]
    assert pods["worker"]["containers"][0]["livenessProbe"]["exec"]["command"] == VALUES["workers"]["celery"]["livenessProbe"]["command"]
    assert (
        made["ScaledObject", "airflow-worker"]["spec"]["triggers"][0]["metadata"]["query"] == VALUES["workers"]["celery"]["keda"]["query"]
    )
    cleanup = made["CronJob", "airflow-database-cleanup"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    assert cleanup["args"] == VALUES["databaseCleanup"]["args"]
    bundles = made["ConfigMap", "airflow-config"]["data"]["airflow.cfg"].partition("dag_bundle_config_list = ")[2].partition("\n")[0]
    assert json.loads(bundles) == VALUES["dagProcessor"]["dagBundleConfigList"]
    secrets = {one["metadata"]["name"] for one in rendered if one["kind"] == "Secret"}
    for container in containers():
        named = {entry["valueFrom"]["secretKeyRef"]["name"] for entry in container["env"] if "valueFrom" in entry}
        assert {name for name in named if name.startswith("airflow-")} <= secrets
