"""A project whose DAGs are run by a real Airflow, in one process for many tests."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from schemas.config.settings import Settings
from tests.dags import ANSWER, BEGUN
from tests.demosite import DemoSite
from tests.shopcrawl import write_shop

CRAWL = """
seeds: {seeds}
network: {{allow: [127.0.0.1/32]}}
politeness: {{delay: 0}}
scope: {{max_depth: 1}}
budgets: {{max_pages: 30, max_retries: 0}}
thresholds: {thresholds}
notify: [hook]
"""


class Runner:
    """A process that has imported Airflow once and runs DAGs on demand."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(
        self,
        *dags: str,
        environment: dict[str, str] | None = None,
        suite: Path | None = None,
        refuse_to_fetch: bool = False,
        conf: dict[str, Any] | None = None,
        when_begun: Callable[[], None] | None = None,
    ) -> tuple[list[dict[str, Any]], str]:
        """What became of each DAG's run, and all that was logged; `when_begun` is called at the beginning of each task's body."""
        order = {"dags": dags, "environment": environment or {}, "suite": str(suite or ""), "refuse_to_fetch": refuse_to_fetch}
        self._say(json.dumps(order | {"conf": conf, "stops": when_begun is not None}))
        said: list[str] = []
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(ANSWER):
                return json.loads(line.removeprefix(ANSWER)), "".join(said)
            if line.startswith(BEGUN) and when_begun is not None:
                when_begun()
                self._say("")
            said.append(line)
        raise AssertionError("".join(said))

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()


@contextmanager
def run_project(folder: Path, site: DemoSite, dags: Path) -> Iterator[tuple[Settings, Runner]]:
    """A project with crawls that miss their thresholds and a crawl of the shop, and what runs their DAGs in its migrated Airflow."""
    settings = Settings(home=folder / "var", crawls=folder / "crawls", store="", database="")
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW__", "CRAWLHOUSE_"))},
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "CRAWLHOUSE_HOME": str(settings.home),
        "CRAWLHOUSE_CRAWLS": str(settings.crawls),
    }
    _write_crawls(settings.crawls, site.bases[0] + "/")
    write_shop(settings.crawls, site.shop)
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=environment, check=True, capture_output=True)
    command = [sys.executable, "-m", "tests.dags.rundags", str(dags)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, env=environment, cwd=dags.parent, text=True, **pipes) as process:
        yield settings, Runner(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(60) == 0


def server_environment(settings: Settings) -> dict[str, str]:
    """The variables of a home with everything on servers."""
    return {
        "CRAWLHOUSE_HOME": str(settings.home),
        "CRAWLHOUSE_STORE": settings.store,
        "CRAWLHOUSE_S3_ENDPOINT": settings.s3_endpoint,
        "CRAWLHOUSE_DATABASE": settings.database,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }


def _write_crawls(folder: Path, good: str) -> None:
    folder.mkdir()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        silent = f"http://127.0.0.1:{unused.getsockname()[1]}/"
    for name, seeds, thresholds in (
        ("few", [good], "{min_pages: 500}"),
        ("silent", [silent, silent + "news"], "{max_error_rate: 0.5}"),
        ("refused", [good], "{}"),
        ("gated", [good], "{}"),
    ):
        (folder / f"{name}.yaml").write_text(CRAWL.format(seeds=seeds, thresholds=thresholds), encoding="utf-8")
    (folder / "lost.yaml").write_text(f"seeds: ['{good}']\nspider: half_written:Spider\nnotify: [hook]\n", encoding="utf-8")
    (folder / "half_written.py").write_text("class Spider(:\n", encoding="utf-8")
