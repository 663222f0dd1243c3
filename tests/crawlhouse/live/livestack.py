"""One Airflow with the demo site for all tests that need a running one."""

from __future__ import annotations

import re
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

import psutil

from crawlhouse.airflow import processes, stack
from crawlhouse.airflow.home import airflow_home
from crawlhouse.demo.demo_site import stop_site
from schemas.config.settings import Settings
from tests import PROJECT
from tests.foreignfolder import foreign_folder

FOREIGN = "foreign"
STOP_SECONDS = 20  # Airflow and the site
FRESH_OFFERS = """
import json
import os
from pathlib import Path

from airflow.sdk import DAG, Asset, get_current_context, task


@task
def write():
    events = get_current_context()["triggering_asset_events"][Asset("crawlhouse://offers")]
    with (Path(os.environ["CRAWLHOUSE_HOME"]) / "fresh_offers.jsonl").open("a") as out:
        out.writelines(json.dumps(event.extra) + "\\n" for event in events)


with DAG("fresh_offers", schedule=[Asset("crawlhouse://offers")], is_paused_upon_creation=False):
    write()
"""  # a user's DAG, which runs when there are new rows


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def mark(settings: Settings) -> str:
    """The mark of the running stack's processes."""
    state = stack._read_state(airflow_home(settings))
    assert state is not None
    return state.mark


def project(folder: Path) -> Settings:
    """A project with the demo's crawls on free ports, a slow crawl of the same site, a crawl file with a mistake, and DAGs of its own."""
    crawls, datasets, dags = folder / "crawls", folder / "datasets", folder / "dags"
    crawls.mkdir(parents=True)
    demo, shop = (_on_free_ports((PROJECT / "crawls" / f"{name}.yaml").read_text(encoding="utf-8")) for name in ("demo", "shop"))
    (crawls / "demo.yaml").write_text(demo, encoding="utf-8")
    (crawls / "shop.yaml").write_text(shop, encoding="utf-8")
    shutil.copytree(PROJECT / "datasets", datasets)
    slow = demo.replace("delay: 0 ", "delay: 2 ").replace("concurrency_per_host: 8", "concurrency_per_host: 1")
    assert slow.count("delay: 2") == 1
    (crawls / "slow.yaml").write_text(slow, encoding="utf-8")
    (crawls / "bad.yaml").write_text("seeds: [http://127.0.0.1:9/]\nspeed: 3\n", encoding="utf-8")
    dags.mkdir()
    shutil.copy(PROJECT / "docs" / "examples" / "daily_export.py", dags)
    (dags / "fresh_offers.py").write_text(FRESH_OFFERS, encoding="utf-8")
    return Settings(home=folder / "var", crawls=crawls, database="", store="")


def _on_free_ports(text: str) -> str:
    for port in sorted(set(re.findall(r"http://127\.0\.0\.1:(\d+)/", text))):
        text = text.replace(f":{port}/", f":{free_port()}/")
    return text


def command_line(process: psutil.Process) -> list[str]:
    """A process's command line; empty if it has just ended."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def listening(process: psutil.Process) -> list[Any]:
    """The addresses on which a process listens; none if it has just ended."""
    try:
        return [one.laddr for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN]
    except psutil.NoSuchProcess:
        return []


@contextmanager
def live(folder: Path) -> Iterator[tuple[Settings, stack.Stack]]:
    """Such a project with its Airflow running, started in a folder whose modules have the names of ours."""
    settings = project(folder)
    try:
        with chdir(foreign_folder(folder / FOREIGN)):
            running = stack.start(settings, free_port())
        yield settings, running
    finally:
        started = mark(settings)
        began = time.monotonic()
        stack.stop(settings)
        stop_site(settings)
        assert time.monotonic() - began < STOP_SECONDS
        assert not processes.marked(started)
