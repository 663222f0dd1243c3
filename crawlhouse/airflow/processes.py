"""Processes that have a mark: a variable in their environment, which all their descendants inherit.

A process id can be used again, and a process can leave its group. A mark is made for one start, and only its processes have it.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

MARK_VARIABLE = "CRAWLHOUSE_MARK"
POLL_SECONDS = 0.1

_children: list[subprocess.Popen[bytes]] = []  # `marked` reaps those that ended; without the list Python would warn about the others


def new_mark() -> str:
    """A new mark, which no other start has."""
    return secrets.token_hex(8)


def spawn(
    command: Sequence[str], mark: str, log: Path, environment: Mapping[str, str], pass_fds: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """Start a marked process in its own session. Its output is appended to `log`."""
    marked = {**environment, MARK_VARIABLE: mark, "SPT_NOENV": "1"}  # setproctitle would overwrite the environment, and the mark
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=marked,
            start_new_session=True,
            pass_fds=pass_fds,
        )
    _children.append(process)
    return process


def marked(mark: str) -> list[psutil.Process]:
    """The running processes of this user that have the mark, without the caller."""
    _children[:] = [child for child in _children if child.poll() is None]
    return [process for process in psutil.process_iter() if process.pid != os.getpid() and _carries(process, mark)]


def end(mark: str, grace: float) -> int:
    """End every marked process: by SIGTERM, and by SIGKILL after `grace` seconds. Returns how many there were."""
    asked: set[int] = set()
    deadline = time.monotonic() + grace
    while (alive := marked(mark)) and time.monotonic() < deadline:
        for process in alive:
            if process.pid not in asked:
                asked.add(process.pid)
                _signal(process, kill=False)
        time.sleep(POLL_SECONDS)
    while alive := marked(mark):
        for process in alive:
            asked.add(process.pid)
            _signal(process, kill=True)
        time.sleep(POLL_SECONDS)
    return len(asked)


def _carries(process: psutil.Process, mark: str) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.environ().get(MARK_VARIABLE) == mark
    except (psutil.Error, OSError):
        return False


def _signal(process: psutil.Process, *, kill: bool) -> None:
    try:
        if kill:
            process.kill()
        else:
            process.terminate()
    except psutil.NoSuchProcess:
        return
