"""The demo site as a process on free ports: `pytest_plugins = ["tests.demosite"]`, then ask for `demo_site`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo import clock
from demo.news import truth
from tests import PROJECT

TICK_SECONDS = 10


@dataclass
class DemoSite:
    """A running demo site. `bases` are its two news sites' addresses, `shop` is the shop's, each without a slash at the end."""

    bases: tuple[str, str]
    shop: str
    home: Path
    process: subprocess.Popen[str]

    @property
    def clock(self) -> int:
        """The tick the site is at."""
        return clock.read(self.home)

    @property
    def shop_clock(self) -> int:
        """The tick the shop is at."""
        return clock.read(self.home / clock.SHOP)

    def truth(self, at: int | None = None) -> list[truth.Truth]:
        """What the sites' articles are, now or at a tick."""
        return truth.articles(self.clock if at is None else at, self.bases)

    def withdrawn(self) -> list[str]:
        """The URLs of withdrawn articles: 410."""
        return truth.withdrawn(self.clock, self.bases)

    def tick(self, ticks: int = 1) -> int:
        """Move the clock on and wait until both sites follow; the new clock."""
        now = clock.advance(self.home, ticks)
        deadline = time.monotonic() + TICK_SECONDS
        while any(_served_clock(base) != now for base in self.bases):
            assert time.monotonic() < deadline, "the demo site does not follow its clock"
            time.sleep(0.05)
        return now

    def tick_shop(self, ticks: int = 1) -> int:
        """Move the shop's clock on and wait until the shop follows; the new clock."""
        now = clock.advance(self.home / clock.SHOP, ticks)
        deadline = time.monotonic() + TICK_SECONDS
        while _served_clock(self.shop) != now:
            assert time.monotonic() < deadline, "the shop does not follow its clock"
            time.sleep(0.05)
        return now


@contextmanager
def run_demo_site(home: Path, *options: str) -> Iterator[DemoSite]:
    """A demo site with further options, such as `--odd`; stopped at the end."""
    command = [sys.executable, "-m", "demo.site", "--port", "0", "--second-port", "0", "--home", str(home), *options]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        first_line = process.stdout.readline()
        assert first_line, "the demo site did not start"
        places = json.loads(first_line)
        yield DemoSite((places["bases"][0], places["bases"][1]), places["shop"], home, process)
    finally:
        process.terminate()
        process.wait(timeout=10)
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture
def demo_site(tmp_path: Path) -> Iterator[DemoSite]:
    """A demo site at tick 0, with the misbehaviours linked from /odd/ only for those who ask."""
    with run_demo_site(tmp_path / "demo") as site:
        yield site


def _served_clock(base: str) -> int:
    with urllib.request.urlopen(f"{base}/__truth__/clock", timeout=5) as answer:
        return int(answer.read())
