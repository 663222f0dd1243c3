"""Runs a worker as a process of its own: starts it, watches its heartbeat, ends it with its task, and reads its statistics."""

from __future__ import annotations

import logging
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TextIO

from runtime.command_line import module_command
from runtime.scratch import scratch_folder
from schemas import errors
from schemas.config.settings import Settings
from schemas.credentials.redaction import redacted
from schemas.errors import CrawlhouseError
from schemas.printable import printable
from spiders.heartbeat import SILENCE_SECONDS, HeartbeatMonitor
from spiders.spool.statistics import WorkerStatistics, read_statistics

END_SECONDS = 9.0
PROGRESS_LOG_SECONDS = 15.0
POLL_SECONDS = 0.5
TAIL_CHARACTERS = 2_000
# Settings of glibc: memory of page bodies goes back to the system at once. This keeps a worker some 10 MB smaller.
MEMORY = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "131072"}

LOG = logging.getLogger(__name__)

_running: dict[subprocess.Popen[bytes], float] = {}  # each worker with the moment until when it may go on, in monotonic seconds


def run_worker(
    crawl_run: str,
    worker: str,
    settings: Settings,
    log_progress: Callable[[], None] = lambda: None,
    log_to: TextIO | None = None,
    secrets: Mapping[str, str] | None = None,
) -> WorkerStatistics:
    """Run a worker to its end and return its statistics. `log_progress` is called every 15 seconds. Its log goes to `log_to`, or stderr.

    A worker is ended if its event loop does not run, or if it does not end when it is asked to.
    `secrets` are put into its environment, and nowhere else.
    An error of the worker is raised here with its own class; CrawlhouseError if it wrote no statistics.
    """
    with scratch_folder() as folder, _sigterm_as_exception():
        path, log = folder / "statistics.json", folder / "log"
        heard, beat = os.pipe()
        command = module_command("spiders.worker", "--run", crawl_run, "--worker", worker, "--statistics", str(path))
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*command, "--heartbeat", str(beat)],
                env={**environment_of(settings), **(secrets or {})},
                stdout=output,
                stderr=output,
                process_group=0,
                pass_fds=[beat],
            )
            os.close(beat)
            _running[process] = math.inf
            try:
                silence = _wait(process, HeartbeatMonitor(heard), log_progress)
            finally:
                _end(process)
                del _running[process]
                os.close(heard)
        log_text = printable(redacted(log.read_text(encoding="utf-8", errors="replace")))  # it may contain text of pages and servers
        (log_to or sys.stderr).write(log_text)
        if silence:
            raise CrawlhouseError(
                f"The event loop of the fetch worker {worker} did not run for {silence:.0f} seconds, so it was ended. What it had fetched "
                "is kept. Run the fetch step again: it continues, and leaves out a URL at which a worker ends twice."
            )
        return _check_statistics(read_statistics(path), process.returncode, log_text)


def _wait(process: subprocess.Popen[bytes], monitor: HeartbeatMonitor, log_progress: Callable[[], None]) -> float:
    """Wait until a worker ends, or has to be ended. Returns the seconds for which its event loop did not run, 0 if it ran."""
    logged_at = time.monotonic()
    while process.poll() is None and time.monotonic() < _running[process]:
        if monitor.is_over:
            with suppress(subprocess.TimeoutExpired):
                process.wait(POLL_SECONDS)
        silence = monitor.silence(POLL_SECONDS)
        if silence > SILENCE_SECONDS:
            LOG.warning("The event loop of the worker with PID %s has not run for %.0f seconds: it is ended.", process.pid, silence)
            return silence
        if time.monotonic() - logged_at >= PROGRESS_LOG_SECONDS:
            log_progress()
            logged_at = time.monotonic()
    return 0.0


def stop_workers() -> None:
    """Asks every worker that this process started to register what it has and to end; their `run_worker` calls then return.

    They return in any case: a worker that still runs after END_SECONDS is killed. Asking again changes nothing.
    """
    for process in list(_running):
        if _running.get(process) == math.inf and process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            _running[process] = time.monotonic() + END_SECONDS


def _check_statistics(statistics: WorkerStatistics | None, code: int, log_text: str) -> WorkerStatistics:
    if statistics is None:
        how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        tail = f" The end of its log: {log_text[-TAIL_CHARACTERS:].strip()}" if log_text.strip() else ""
        raise CrawlhouseError(f"The fetch worker ended {how} before it wrote its statistics. Run the fetch step again: it continues.{tail}")
    if statistics.error:
        kind = getattr(errors, statistics.error, CrawlhouseError)
        raise kind(statistics.message)
    return statistics


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment of a process of ours: this one's, with these settings."""
    given = {f"CRAWLHOUSE_{name.upper()}": str(value) for name, value in settings.model_dump().items()}  # also those that are empty
    return {**MEMORY, **os.environ, **given}


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, time to register what was fetched, then SIGKILL."""
    if process.poll() is not None:
        return
    if _running[process] == math.inf:
        os.killpg(process.pid, signal.SIGTERM)
        _running[process] = time.monotonic() + END_SECONDS
    try:
        process.wait(max(_running[process] - time.monotonic(), 0.0))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def _sigterm_as_exception() -> Iterator[None]:
    """Turn SIGTERM into an exception, so that the worker is ended too. A handler that exists already is left in place."""
    is_default = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if not is_default:
        yield
        return

    def exit_now(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, exit_now)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
