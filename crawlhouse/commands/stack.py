"""`crawlhouse up`, `down`, `status` and `demo`: Airflow on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from crawlhouse.output.console import progress_line, results, say, write_json
from crawlhouse.output.row_formats import ReportFormat
from schemas.errors import UnavailableError

UP_EXAMPLES = """
Examples:

  crawlhouse up

  crawlhouse up --port 8090
"""

DOWN_EXAMPLES = """
Examples:

  crawlhouse down
"""

STATUS_EXAMPLES = """
Examples:

  crawlhouse status

  crawlhouse status --format json

  crawlhouse status --health || crawlhouse up
"""

DEMO_EXAMPLES = """
Examples:

  crawlhouse demo

  crawlhouse demo --port 8090
"""

DEFAULT_PORT = 8080  # Airflow's own
EXIT_DOWN = 3  # "not found", as in the help of `crawlhouse`
Port = Annotated[int, typer.Option(min=1, max=65535, help="The port of Airflow's UI, on 127.0.0.1 only.")]


def up(port: Port = DEFAULT_PORT) -> None:
    """Start Airflow on this machine and say where its UI is.

    It has four processes, which are reachable from this machine only. They run until `crawlhouse down`.
    """
    from crawlhouse.airflow import stack
    from crawlhouse.output.status import show_stack
    from schemas.config.settings import load_settings

    with progress_line() as update:
        update("Starting Airflow")
        running = stack.start(load_settings(), port, say=update)
    show_stack(running)


def down() -> None:
    """Stop everything that `up` and `demo` started, and nothing else. No data is deleted."""
    from crawlhouse.airflow import stack
    from crawlhouse.demo.demo_site import stop_site
    from schemas.config.settings import load_settings

    settings = load_settings()
    with progress_line() as update:
        update("Stopping")
        stopped = [name for name, ended in (("Airflow", stack.stop(settings)), ("the demo site", stop_site(settings))) if ended]
    say(f"Stopped {' and '.join(stopped)}." if stopped else "Nothing was running.")


def status(
    form: Annotated[ReportFormat, typer.Option("--format", "-f", help="For people or for programs.")] = ReportFormat.TABLE,
    health: Annotated[
        bool, typer.Option("--health", help="End with exit code 3 when Airflow does not run, 4 when it is not healthy.")
    ] = False,
) -> None:
    """Say what runs and whether it is healthy, where things are kept, which crawl files there are, and how their last runs ended."""
    from crawlhouse.output.status import read_status, show_status, status_json
    from schemas.config.settings import load_settings

    state = read_status(load_settings())
    if form is ReportFormat.JSON:
        write_json(status_json(state))
    else:
        show_status(state)
    if not health:
        return
    if state.airflow is None:
        raise typer.Exit(EXIT_DOWN)
    if not state.airflow.healthy:
        raise UnavailableError(f"Airflow is not healthy. Its logs are in {state.airflow.logs}; `crawlhouse down` ends it.")


def demo(port: Port = DEFAULT_PORT) -> None:
    """Crawl two bundled news sites and a shop through Airflow and query the result.

    Each time the sites' clocks advance: articles and prices change, and some pages vanish. The first time the shop is crawled
    twice, so that there is a history of prices. Airflow and the sites run until `crawlhouse down`.
    """
    from crawlhouse.demo.demo import run_demo
    from schemas.config.settings import load_settings

    run_demo(load_settings(), results(), port, progress_line)
