"""A worker's process: started in a group of its own, ended with its parent's task, judged by what it counted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import TextIO

from schemas import errors
from schemas.childcommand import module_command
from schemas.errors import CrawlhouseError
from schemas.printable import printable
from schemas.redaction import redacted
from schemas.settings import Settings
from spiders.statistics import WorkerStatistics, read_statistics
from storage.scratch import scratch_folder

END_SECONDS = 9.0
TELL_SECONDS = 15.0
TAIL_CHARACTERS = 2_000
# glibc's: page bodies go back to the system as soon as they are done with, which keeps a worker some 10 MB smaller
MEMORY = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "131072"}

_running: set[subprocess.Popen[bytes]] = set()


def run_worker(
    crawl_run: str,
    worker: str,
    settings: Settings,
    tell: Callable[[], None] = lambda: None,
    log_to: TextIO | None = None,
    secrets: Mapping[str, str] | None = None,
) -> WorkerStatistics:
    """Runs a worker to its end and returns its statistics; `tell` is called now and then meanwhile. Its log goes to `log_to`, or stderr.

    `secrets` stand in its environment, and nowhere else.
    Raises its own error by its class, CrawlhouseError where it wrote none.
    """
    with scratch_folder() as folder, _dying_by_exception():
        path, log = folder / "statistics.json", folder / "log"
        command = module_command("spiders.worker", "--run", crawl_run, "--worker", worker, "--statistics", str(path))
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, env={**_environment(settings), **(secrets or {})}, stdout=output, stderr=output, process_group=0
            )
            _running.add(process)
            try:
                _wait(process, tell)
            finally:
                _end(process)
                _running.discard(process)
        said = printable(redacted(log.read_text(encoding="utf-8", errors="replace")))  # it repeats what pages and servers say
        (log_to or sys.stderr).write(said)
        return _judge(read_statistics(path), process.returncode, said)


def _wait(process: subprocess.Popen[bytes], tell: Callable[[], None]) -> None:
    while True:
        try:
            process.wait(TELL_SECONDS)
            return
        except subprocess.TimeoutExpired:
            tell()


def stop_workers() -> None:
    """Asks every worker that this process started to register what it has and to end; their `run_worker` calls then return."""
    for process in list(_running):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)


def _judge(statistics: WorkerStatistics | None, code: int, said: str) -> WorkerStatistics:
    if statistics is None:
        how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        tail = f" It last said: {said[-TAIL_CHARACTERS:].strip()}" if said.strip() else ""
        raise CrawlhouseError(f"The fetch worker died {how} before it could count. Run the fetch step again: it goes on from there.{tail}")
    if statistics.error:
        kind = getattr(errors, statistics.error, CrawlhouseError)
        raise kind(statistics.message)
    return statistics


def _environment(settings: Settings) -> dict[str, str]:
    given = {f"CRAWLHOUSE_{name.upper()}": str(value) for name, value in settings.model_dump().items()}  # "" is none, whatever we inherited
    return {**MEMORY, **os.environ, **given}


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, time to register what was fetched, then SIGKILL."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def _dying_by_exception() -> Iterator[None]:
    """Makes SIGTERM an exception, so that it reaches the worker; where someone handles it already, they do the same."""
    ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if not ours:
        yield
        return

    def exit_now(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, exit_now)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
