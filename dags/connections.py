"""A crawl's secrets from Airflow's connections. A connection with a secret's name becomes the variable that the fetch worker reads."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable
from typing import Any

from schemas.errors import ConfigError


def connection_secrets(names: Iterable[str]) -> dict[str, str]:
    """Variables for a worker's environment: the secrets that are not in the task's own environment.

    A connection's `extra` is the JSON `{"headers": {...}, "cookies": {...}}`. Its login and password become an Authorization header.
    Raises ConfigError for a secret that has neither a variable nor a connection.
    """
    return {variable: _secret(name, variable) for name in names if not os.environ.get(variable := f"CRAWLHOUSE_SECRET_{name.upper()}")}


def _secret(name: str, variable: str) -> str:
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        connection: Any = Connection.get(name)  # Any: Airflow gives it no type
    except AirflowNotFoundException as error:
        raise ConfigError(f"The secret {name!r} is missing: make an Airflow connection of that name, or set {variable}.") from error
    secret = dict(connection.extra_dejson)
    if connection.login and connection.password:
        basic = base64.b64encode(f"{connection.login}:{connection.password}".encode()).decode()
        secret["headers"] = {"Authorization": f"Basic {basic}", **secret.get("headers", {})}
    return json.dumps(secret)
