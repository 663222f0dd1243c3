"""A crawl's secrets from Airflow's connections: the connection of a secret's name becomes the variable that the fetch worker reads."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable
from typing import Any

from schemas.errors import ConfigError


def connection_secrets(names: Iterable[str]) -> dict[str, str]:
    """Variables for a worker's environment, for those secrets that the task's own environment has not.

    A connection's `extra` is the JSON `{"headers": {...}, "cookies": {...}}`; its login and password become an Authorization header.
    Raises ConfigError where there is neither a variable nor a connection.
    """
    return {variable: _secret(name, variable) for name in names if not os.environ.get(variable := f"CRAWLHOUSE_SECRET_{name.upper()}")}


def _secret(name: str, variable: str) -> str:
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        found: Any = Connection.get(name)  # Any: as Airflow has it
    except AirflowNotFoundException as error:
        raise ConfigError(f"The secret {name!r} is missing: make an Airflow connection of that name, or set {variable}.") from error
    secret = dict(found.extra_dejson)
    if found.login and found.password:
        basic = base64.b64encode(f"{found.login}:{found.password}".encode()).decode()
        secret["headers"] = {"Authorization": f"Basic {basic}", **secret.get("headers", {})}
    return json.dumps(secret)
