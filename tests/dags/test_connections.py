"""A crawl's secrets from Airflow's connections, as the fetch task hands them to its worker."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.xdist_group("connections")  # Airflow is imported once

ASK = """
import json, os, sys
from unittest import mock
from dags.connections import connection_secrets
from schemas.errors import ConfigError
told = {}
for name, variables in json.load(sys.stdin).items():
    with mock.patch.dict(os.environ, variables):
        try:
            told[name] = connection_secrets(["members"])
        except ConfigError as error:
            told[name] = str(error)
print(json.dumps(told))
"""
CONNECTION = {"conn_type": "http", "login": "me", "password": "word", "extra": {"headers": {"X-Key": "k"}, "cookies": {"a": "b"}}}
CASES: dict[str, dict[str, str]] = {
    "none": {},
    "connection": {"AIRFLOW_CONN_MEMBERS": json.dumps(CONNECTION)},
    "both": {"AIRFLOW_CONN_MEMBERS": json.dumps(CONNECTION), "CRAWLHOUSE_SECRET_MEMBERS": "{}"},
    "environment": {"CRAWLHOUSE_SECRET_MEMBERS": "{}"},
}


@pytest.fixture(scope="module")
def told(environment: dict[str, str]) -> dict[str, Any]:
    """What each case gives."""
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=environment, input=json.dumps(CASES), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_a_connection_becomes_a_variable(told: dict[str, Any]) -> None:
    secret = {"headers": {"Authorization": "Basic bWU6d29yZA==", "X-Key": "k"}, "cookies": {"a": "b"}}
    assert list(told["connection"]) == ["CRAWLHOUSE_SECRET_MEMBERS"]
    assert json.loads(told["connection"]["CRAWLHOUSE_SECRET_MEMBERS"]) == secret


@pytest.mark.parametrize("case", ["environment", "both"])
def test_the_environment_comes_first(told: dict[str, Any], case: str) -> None:
    assert told[case] == {}


def test_a_missing_secret_says_what_to_make(told: dict[str, Any]) -> None:
    assert told["none"] == "The secret 'members' is missing: make an Airflow connection of that name, or set CRAWLHOUSE_SECRET_MEMBERS."
