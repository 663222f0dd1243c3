"""The commands of the documentation: the lines of each page's blocks, and those that no test can run, with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests import PROJECT

PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:crawlhouse|make|docker|helm|kubectl|pip|apt-get|duckdb|spark-sql|python|airflow|export|source|cp|mkdir|printf)\s")
SHELL = {"", "sh", "bash", "console"}
NOT_RUN = {
    "make demo": "it takes the ports 8080 and 8801 to 8803; tests/crawlhouse/live/test_demo.py runs the demo on free ones",
    "make test": "it is what runs this",
    "make down": "it belongs to `make demo`",
    "source .venv/bin/activate": "the tests have the environment's commands on their PATH",
    "docker": "there is no Docker here; tests/chaos/test_composed.py runs the services of the compose file as processes",
    "helm": "there is no Kubernetes here; tests/crawlhouse/airflow/test_kubernetes.py checks the values",
    "kubectl": "there is no Kubernetes here",
    "cp .env": "it belongs to `docker compose`",
    "mkdir -m 700 secrets": "it belongs to `docker compose`",
    "printf": "it belongs to `docker compose`",
    "pip install": "it needs a package index; tests/crawlhouse/commands/test_plugins.py uses the example as an installed package",
    "apt-get install": "it changes the machine",
    "spark-sql": "it needs a Spark cluster and the jar of Iceberg",
    "duckdb": "the command of DuckDB is no Python package; tests/crawlhouse/sql/test_readersdocs.py runs its statements",
    "python -m demo.site": "the site runs already, on free ports",
    "crawlhouse best": "the command of the example package; tests/crawlhouse/commands/test_plugins.py runs it",
}


def blocks_of(page: Path) -> list[str]:
    """The blocks of a page that have a command."""
    blocks = [block for language, block in FENCE.findall(page.read_text(encoding="utf-8")) if language in SHELL]
    return [block.replace("\\\n", " ") for block in blocks if any(map(COMMAND.match, block.splitlines()))]


def reason_not_to_run(line: str) -> str | None:
    """Why a line is not run."""
    return next((reason for start, reason in NOT_RUN.items() if line.startswith(start)), None)


def runnable(block: str) -> str:
    """A block without the lines that are not run."""
    return "\n".join(line for line in block.splitlines() if reason_not_to_run(line) is None)


def commands() -> Iterator[str]:
    """Every line of every page that begins with a command."""
    return (line for page in PAGES for block in blocks_of(page) for line in block.splitlines() if COMMAND.match(line))
