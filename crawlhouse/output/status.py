"""Reads and prints the state of a home: what runs, where things are kept, and the crawl files."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from crawlhouse.airflow.stack import COMPONENTS, Stack
from crawlhouse.output.console import facts_table, results, say, show
from crawlhouse.reports.runs import RunLine, last_runs
from schemas.config.crawl import Crawl
from schemas.config.crawl_file import read_crawls
from schemas.config.settings import Settings
from schemas.errors import CrawlhouseError


@dataclass(frozen=True, slots=True)
class Status:
    """The state of a home. `airflow` is None when it does not run. `last_runs` are by crawl, without those that never ran."""

    settings: Settings
    airflow: Stack | None
    demo_site: bool
    crawls: dict[str, Crawl]
    broken: dict[str, CrawlhouseError]
    last_runs: dict[str, RunLine]


def read_status(settings: Settings) -> Status:
    """Read the state. Raises what `stack.status` raises."""
    from crawlhouse.airflow import stack
    from crawlhouse.demo.demo_site import site_runs

    crawls, broken = read_crawls(settings.crawls)
    return Status(settings, stack.status(settings), site_runs(settings), crawls, broken, _last_runs(settings))


def _last_runs(settings: Settings) -> dict[str, RunLine]:
    """The last run of each crawl. None if the database does not answer: its place is shown all the same."""
    try:
        return {line.crawl: line for line in last_runs(settings, 1)}
    except CrawlhouseError as error:
        say(f"The last runs cannot be read: {error}")
        return {}


def show_status(status: Status) -> None:
    """Print the state for people."""
    show(facts_table("Airflow", _airflow(status.airflow)))
    show(facts_table("Demo site", {"": "running" if status.demo_site else "not running"}))
    show(facts_table("Where things are kept", storage_locations(status.settings)))
    if status.crawls:
        show(facts_table("Crawls", {name: _crawl(crawl, status.last_runs.get(name)) for name, crawl in status.crawls.items()}))
    elif not status.broken:
        say(f"There is no crawl file in {status.settings.crawls}. `crawlhouse init --seed URL` writes a first one.")
    for error in status.broken.values():
        say(f"Broken: {error}")


def show_stack(stack: Stack) -> None:
    """Print where the UI of a local Airflow is, who may enter, and where its logs are."""
    results().print(f"Airflow:     {stack.url}  user {stack.user}  password {stack.password}")
    results().print(f"Logs:        {stack.logs}")


def status_json(status: Status) -> dict[str, object]:
    """The state without the password, in JSON's own types."""
    running = status.airflow
    return {
        "airflow": None if running is None else {"url": running.url, "healthy": running.healthy, "components": running.health},
        "demo_site": status.demo_site,
        "places": storage_locations(status.settings),
        "crawls": {name: crawl.schedule for name, crawl in status.crawls.items()},
        "last_runs": {name: asdict(line) | {"planned_at": line.planned_at.isoformat()} for name, line in status.last_runs.items()},
        "broken": {name: str(error) for name, error in status.broken.items()},
    }


def storage_locations(settings: Settings) -> dict[str, str]:
    """Where things are kept, without passwords."""
    paths = {"crawls": str(settings.crawls), "home": str(settings.home)}
    return paths | {"store": settings.store_url(), "database": settings.redacted_database()}


def _airflow(running: Stack | None) -> dict[str, str]:
    if running is None:
        return {"": "not running; start it with `crawlhouse up`"}
    health = {label: running.health.get(name, "does not answer") for name, label in COMPONENTS.items()}
    return {"page": running.url, "user": running.user, "password": running.password, "logs": running.logs, **health}


def _crawl(crawl: Crawl, last: RunLine | None) -> str:
    zone = f" {crawl.timezone}" if crawl.schedule else ""
    when = f"{crawl.schedule or 'when asked'}{zone}{', paused' if crawl.paused else ''}"
    ended = "never ran" if last is None else f"last run {last.planned_at:%Y-%m-%d %H:%M} UTC: {last.state}, {last.fetched:,} fetched"
    return "  ".join(part for part in (when, ended, crawl.description) if part)
