"""Ending the processes that were started, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from crawlhouse.airflow import processes

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(300)"
FAMILY = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
subprocess.Popen([sys.executable, "-c", {DEAF!r}])
time.sleep(300)
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def _wait_for(log: Path, text: str) -> None:
    deadline = time.monotonic() + 20
    while text not in log.read_text(encoding="utf-8"):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_whole_family_ends_even_where_it_left_the_session_or_is_deaf(log: Path) -> None:
    mark, other = processes.new_mark(), processes.new_mark()
    parent = processes.spawn([sys.executable, "-c", FAMILY], mark, log, os.environ)
    neighbour = processes.spawn([sys.executable, "-c", "import time; time.sleep(300)"], other, log, os.environ)
    try:
        _wait_for(log, "deaf")
        family = processes.marked(mark)
        assert len(family) == 3
        assert len({os.getsid(process.pid) for process in family}) == 2
        assert processes.end(mark, grace=1.0) == 3
        assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in family)
        assert neighbour.poll() is None
    finally:
        processes.end(other, grace=1.0)
        parent.wait()
        neighbour.wait()


def test_a_recycled_pid_is_not_touched(log: Path) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    try:
        assert processes.end(processes.new_mark(), grace=1.0) == 0
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
