"""One Airflow with the demo site for all tests that need a running one."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path

from crawlhouse.airflow import processes, stack
from crawlhouse.airflow.home import airflow_home
from crawlhouse.demo.demo_site import stop_site
from schemas.config.settings import Settings
from tests import PROJECT
from tests.foreignfolder import foreign_folder

FOREIGN = "foreign"
STOP_SECONDS = 20  # Airflow and the site


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
    """A project with the demo's crawl on free ports, a slow crawl of the same site, and a crawl file with a mistake."""
    crawls = folder / "crawls"
    crawls.mkdir(parents=True)
    demo = (PROJECT / "crawls" / "demo.yaml").read_text(encoding="utf-8")
    ports = {found: str(free_port()) for found in re.findall(r"http://127\.0\.0\.1:(\d+)/", demo)}
    for old, new in ports.items():
        demo = demo.replace(f":{old}/", f":{new}/")
    (crawls / "demo.yaml").write_text(demo, encoding="utf-8")
    slow = demo.replace("delay: 0 ", "delay: 2 ").replace("concurrency_per_host: 8", "concurrency_per_host: 1")
    assert slow.count("delay: 2") == 1
    (crawls / "slow.yaml").write_text(slow, encoding="utf-8")
    (crawls / "bad.yaml").write_text("seeds: [http://127.0.0.1:9/]\nspeed: 3\n", encoding="utf-8")
    return Settings(home=folder / "var", crawls=crawls, database="", store="")


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
