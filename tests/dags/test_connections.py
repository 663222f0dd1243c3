"""A crawl's secrets from Airflow's connections, as the fetch task hands them to its worker."""

from __future__ import annotations

import json
import subprocess
import sys

ASK = """
import sys
from dags.connections import connection_secrets
from schemas.errors import ConfigError
try:
    print(connection_secrets(sys.argv[1:]))
except ConfigError as error:
    print(error)
"""


def ask(environment: dict[str, str], *names: str) -> str:
    done = subprocess.run([sys.executable, "-c", ASK, *names], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_a_connection_becomes_a_variable(environment: dict[str, str]) -> None:
    connection = {"conn_type": "http", "login": "me", "password": "word", "extra": {"headers": {"X-Key": "k"}, "cookies": {"a": "b"}}}
    said = ask({**environment, "AIRFLOW_CONN_MEMBERS": json.dumps(connection)}, "members")
    secret = {"headers": {"Authorization": "Basic bWU6d29yZA==", "X-Key": "k"}, "cookies": {"a": "b"}}
    given = eval(said)  # printed by ourselves
    assert list(given) == ["CRAWLHOUSE_SECRET_MEMBERS"]
    assert json.loads(given["CRAWLHOUSE_SECRET_MEMBERS"]) == secret


def test_the_environment_comes_first(environment: dict[str, str]) -> None:
    assert ask({**environment, "CRAWLHOUSE_SECRET_MEMBERS": "{}"}, "members") == "{}"


def test_a_missing_secret_says_what_to_make(environment: dict[str, str]) -> None:
    said = ask(environment, "members")
    assert said == "The secret 'members' is missing: make an Airflow connection of that name, or set CRAWLHOUSE_SECRET_MEMBERS."
