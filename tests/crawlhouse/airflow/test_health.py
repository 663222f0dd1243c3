"""The health check of containers against a server of pages like Airflow's."""

from __future__ import annotations

import json
import subprocess

import pytest

from crawlhouse.airflow.health import is_healthy
from runtime.command_line import module_command
from tests.spiders.smallserver import small_server

PAGE = {"scheduler": {"status": "healthy"}, "triggerer": {"status": "unhealthy"}, "dag_processor": None}


@pytest.mark.parametrize(
    ("component", "expected"), [("scheduler", True), ("triggerer", False), ("dag_processor", False), ("worker", False)]
)
def test_a_component_is_healthy_if_the_page_says_so(component: str, expected: bool) -> None:
    with small_server(lambda path, times: (200, {}, json.dumps(PAGE).encode())) as server:
        assert is_healthy(component, f"{server.base}/health") is expected


def test_a_server_that_does_not_answer_is_not_healthy() -> None:
    assert not is_healthy("scheduler", "http://127.0.0.1:9/health")
    with small_server(lambda path, times: (500, {}, b"")) as server:
        assert not is_healthy("scheduler", server.base)
        check = module_command("crawlhouse.airflow.health", "scheduler", server.base)
        assert subprocess.run(check, check=False, capture_output=True).returncode == 1
