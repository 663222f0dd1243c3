"""The bundled demo sites as a process. It listens on the ports in crawls/demo.yaml and crawls/shop.yaml; `crawlhouse down` ends it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from urllib.parse import urljoin, urlsplit

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
SEEDS = (2, 1)  # of the news sites and of the shop
PORT_OPTIONS = ("--port", "--second-port", "--shop-port")


def start_site(settings: Settings, news: Crawl, shop: Crawl) -> int:
    """Start the demo sites if they do not run, and advance both clocks by one tick. Returns the tick of the news sites.

    Raises ConfigError for crawls that do not name the three ports, ConflictError for a taken port and UnavailableError for no answer.
    """
    home = _home(settings)
    try:
        make_private_folder(settings.home)
        home.mkdir(parents=True, exist_ok=True)
        tick, _ = _next_tick(home), _next_tick(home / clock.SHOP)
    except OSError as error:
        raise StorageError(f"{home} cannot be written ({error.strerror}); free space there or set CRAWLHOUSE_HOME.") from error
    ports = _ports(news, shop)
    if _alive(home) and _state(home).get("ports") != ports:  # an earlier release's, or the crawl files have changed
        stop_site(settings)
    if not _alive(home):
        _start(home, ports)
    return tick


def advance_shop(settings: Settings, shop: Crawl) -> int:
    """Advance the shop's clock alone, by one tick, and wait until the running shop follows. Returns the tick. Raises UnavailableError."""
    home = _home(settings)
    tick, deadline = clock.advance(home / clock.SHOP), time.monotonic() + START_TIMEOUT_SECONDS
    while _served_tick(shop.seeds[0].url) != tick:
        if time.monotonic() > deadline:
            raise UnavailableError(f"The shop does not follow its clock within {START_TIMEOUT_SECONDS:.0f} s; see {home / 'site.log'}.")
        time.sleep(POLL_SECONDS)
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


def _start(home: Path, ports: list[int]) -> None:
    mark, log = processes.new_mark(), home / "site.log"
    log.unlink(missing_ok=True)
    write_private(home / "site.json", json.dumps({"mark": mark, "ports": ports}) + "\n")
    options = [text for name, port in zip(PORT_OPTIONS, ports, strict=True) for text in (name, str(port))]
    command = module_command("demo.site", *options, "--home", str(home))
    process = processes.spawn(command, mark, log, os.environ)
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while '"ports"' not in (output := log.read_text(encoding="utf-8", errors="replace")):
        if process.poll() is not None:
            raise ConflictError(
                f"The demo sites cannot listen on 127.0.0.1, ports {', '.join(map(str, ports))}: {output.strip()} "
                "Free these ports, or name others in the seeds of crawls/demo.yaml and crawls/shop.yaml."
            )
        if time.monotonic() > deadline:
            processes.end(mark, STOP_GRACE_SECONDS)
            raise UnavailableError(f"The demo site does not answer within {START_TIMEOUT_SECONDS:.0f} s; see {log}.")
        time.sleep(POLL_SECONDS)


def _ports(news: Crawl, shop: Crawl) -> list[int]:
    ports = [urlsplit(seed.url).port for crawl in (news, shop) for seed in crawl.seeds]
    named = [port for port in ports if port is not None]
    if (len(news.seeds), len(shop.seeds)) != SEEDS or len(named) != len(ports):
        raise ConfigError(
            "crawls/demo.yaml must have two seeds and crawls/shop.yaml one, each http://127.0.0.1 with a port: the demo's sites."
        )
    return named


def _next_tick(home: Path) -> int:
    """Advance a clock; one that was never set begins at 0."""
    if (home / clock.FILE).exists():
        return clock.advance(home)
    clock.write(home, 0)
    return 0


def _alive(home: Path) -> bool:
    mark = _mark(home)
    return bool(mark) and bool(processes.marked(mark))


def _served_tick(url: str) -> int | None:
    """The tick that the shop serves, or None if it does not answer."""
    import httpx

    try:
        return int(httpx.get(urljoin(url, "/__truth__/clock"), trust_env=False).text)
    except (httpx.TransportError, ValueError):
        return None


def _mark(home: Path) -> str:
    return str(_state(home).get("mark", ""))


def _state(home: Path) -> dict[str, object]:
    """What the start of the running sites has written, or nothing."""
    try:
        state = json.loads((home / "site.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _home(settings: Settings) -> Path:
    return settings.home.absolute() / "demo"
