"""Runs a replay as a process of its own: starts it, watches its heartbeat, and starts it again if it dies in a callback."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
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
from spiders.worker_process import END_SECONDS, environment_of

LOG = logging.getLogger(__name__)
POLL_SECONDS = 0.5
MAX_DEATHS = 20  # of one replay; a spider that dies at more pages is to be corrected first

Progress = Callable[[str], None]


def replay(process_run: str, settings: Settings, log_to: TextIO | None = None) -> WorkerStatistics:
    """Stage the items that the user's spider makes of a process run's stored responses. Doing it again does what is left.

    The log goes to `log_to`, or stderr. An error of the process is raised here with its own class: SpiderError for a spider that cannot be
    made, NotFoundError, StorageError, UnavailableError. A record at which the process dies twice is left out, and counted as a problem.
    """
    deaths: list[str] = []
    while True:
        with scratch_folder() as folder:
            statistics, text = _run(process_run, settings, folder, deaths)
            (log_to or sys.stderr).write(text)
            if statistics is not None:
                if statistics.error:
                    raise getattr(errors, statistics.error, CrawlhouseError)(statistics.message)
                return statistics
            place = (folder / "current").read_text() if (folder / "current").exists() else ""
        deaths.append(place)
        if not place or Counter(deaths)[place] > 2 or len(deaths) > MAX_DEATHS:
            raise CrawlhouseError(f"The process that calls the spider ended without a result. The end of its log: {text[-2000:].strip()}")
        LOG.warning("The process that calls the spider ended at %s. It is started again.", place)


def _run(process_run: str, settings: Settings, folder: Path, deaths: list[str]) -> tuple[WorkerStatistics | None, str]:
    """One process from start to end: its statistics, None if it died, and its log."""
    path, log = folder / "statistics.json", folder / "log"
    heard, beat = os.pipe()
    ended = [part for place in deaths if place for part in ("--ended-at", place)]
    command = module_command(
        "spiders.replay.worker", "--run", process_run, "--statistics", str(path), "--current", str(folder / "current"), *ended
    )
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--heartbeat", str(beat)],
            env=environment_of(settings),
            stdout=output,
            stderr=output,
            process_group=0,
            pass_fds=[beat],
        )
    os.close(beat)
    try:
        _wait(process, HeartbeatMonitor(heard))
    finally:
        _end(process)
        os.close(heard)
    text = printable(redacted(log.read_text(encoding="utf-8", errors="replace")))
    return read_statistics(path), text


def _wait(process: subprocess.Popen[bytes], monitor: HeartbeatMonitor) -> None:
    while process.poll() is None:
        if monitor.is_over:
            process.wait()
        if monitor.silence(POLL_SECONDS) > SILENCE_SECONDS:
            LOG.warning("A callback has run for %.0f seconds without a pause: its process is ended.", SILENCE_SECONDS)
            return


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        os.killpg(process.pid, number)
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return
