"""The bundled demo site as a process. It listens on the ports in crawls/demo.yaml, and `crawlhouse down` ends it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from urllib.parse import urlsplit

from crawlhouse.airflow import processes
from crawlhouse.airflow.home import write_private
from demo import clock
from runtime.command_line import module_command
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings, make_private_folder
from schemas.errors import ConfigError, ConflictError, StorageError, UnavailableError

START_TIMEOUT_SECONDS = 30.0
STOP_GRACE_SECONDS = 3.0
POLL_SECONDS = 0.1
SITES = 2


def start_site(settings: Settings, crawl: Crawl) -> int:
    """Start the demo site if it does not run, and advance its clock by one tick. Returns the tick.

    Raises ConfigError for a crawl that does not name two ports, ConflictError for a taken port and UnavailableError for no answer.
    """
    home = _home(settings)
    try:
        make_private_folder(settings.home)
        home.mkdir(parents=True, exist_ok=True)
        tick = clock.advance(home) if (home / clock.FILE).exists() else _first_tick(home)
    except OSError as error:
        raise StorageError(f"{home} cannot be written ({error.strerror}); free space there or set CRAWLHOUSE_HOME.") from error
    if not _alive(home):
        _start(home, _ports(crawl))
    return tick


def stop_site(settings: Settings) -> bool:
    """End the demo site. False when it was not running."""
    home = _home(settings)
    ended = processes.end(_mark(home), STOP_GRACE_SECONDS) if _mark(home) else 0
    (home / "site.json").unlink(missing_ok=True)
    return ended > 0


def site_runs(settings: Settings) -> bool:
    """Whether the demo site runs."""
    return _alive(_home(settings))


def _start(home: Path, ports: tuple[int, int]) -> None:
    mark, log = processes.new_mark(), home / "site.log"
    log.unlink(missing_ok=True)
    write_private(home / "site.json", json.dumps({"mark": mark}) + "\n")
    command = module_command("demo.site", "--port", str(ports[0]), "--second-port", str(ports[1]), "--home", str(home))
    process = processes.spawn(command, mark, log, os.environ)
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while '"ports"' not in (output := log.read_text(encoding="utf-8", errors="replace")):
        if process.poll() is not None:
            raise ConflictError(
                f"The demo site cannot listen on 127.0.0.1:{ports[0]} and :{ports[1]}: {output.strip()} "
                "Free these ports, or name others in the seeds of crawls/demo.yaml."
            )
        if time.monotonic() > deadline:
            processes.end(mark, STOP_GRACE_SECONDS)
            raise UnavailableError(f"The demo site does not answer within {START_TIMEOUT_SECONDS:.0f} s; see {log}.")
        time.sleep(POLL_SECONDS)


def _ports(crawl: Crawl) -> tuple[int, int]:
    ports = [urlsplit(seed.url).port for seed in crawl.seeds]
    if len(ports) != SITES or None in ports:
        raise ConfigError("crawls/demo.yaml must have two seeds, each http://127.0.0.1 with a port: the demo's two sites.")
    return (ports[0] or 0, ports[1] or 0)


def _first_tick(home: Path) -> int:
    clock.write(home, 0)
    return 0


def _alive(home: Path) -> bool:
    mark = _mark(home)
    return bool(mark) and bool(processes.marked(mark))


def _mark(home: Path) -> str:
    try:
        return str(json.loads((home / "site.json").read_text(encoding="utf-8"))["mark"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return ""


def _home(settings: Settings) -> Path:
    return settings.home.absolute() / "demo"
