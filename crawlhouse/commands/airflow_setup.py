"""`crawlhouse airflow-setup`: prepare an Airflow that exists already for crawlhouse's DAGs."""

from __future__ import annotations

from typing import Annotated

import typer

EXAMPLES = """
Examples:

  crawlhouse airflow-setup

  crawlhouse airflow-setup --fetch-slots 16 --process-slots 4
"""


def airflow_setup(
    fetch_slots: Annotated[int, typer.Option(min=1, help="Fetch workers that run at once, in the pool `fetch`.")] = 8,
    process_slots: Annotated[int, typer.Option(min=1, help="Processing tasks that run at once, in the pool `process`.")] = 4,
    short_slots: Annotated[int, typer.Option(min=1, help="Tasks that plan and close, in the pool `short`.")] = 4,
) -> None:
    """Prepare an Airflow that exists already: make crawlhouse's tables, check its store, make its pools, and print what is left to do.

    Run it in the environment of that Airflow, with its AIRFLOW_HOME and AIRFLOW__* and with CRAWLHOUSE_*. Pools that exist are not
    changed. Running it again changes nothing.
    """
    from crawlhouse.actions.airflow_setup import set_up
    from schemas.config.settings import load_settings

    set_up(load_settings(), {"fetch": fetch_slots, "process": process_slots, "short": short_slots})
