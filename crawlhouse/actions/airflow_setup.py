"""What `crawlhouse airflow-setup` does: what crawlhouse's DAGs need in an Airflow that exists already."""

from __future__ import annotations

from collections.abc import Mapping

from crawlhouse.airflow.home import dags_folder
from crawlhouse.airflow.pools import make_pools
from crawlhouse.output.console import say
from schemas.config.settings import Settings, make_home
from schemas.numbers import plural
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store

LOADER = """
Add our DAGs in one of two ways. A bundle of its own, beside those that you have, in AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST:
  {"name": "crawlhouse", "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle", "kwargs": {"path": "%s"}}
or one file in the DAG folder that you have, for example crawlhouse_dags.py:
  from dags.every import every_dag  # an airflow DAG file
  globals().update(every_dag())
"""


def set_up(settings: Settings, slots: Mapping[str, int]) -> None:
    """Make tables and pools, check the store, and say how the DAGs are added. Raises ConfigError, UnavailableError, StorageError."""
    make_home(settings)
    open_ledger(settings).close()
    say(f"Tables: {settings.redacted_database()}")
    open_store(settings).check()
    say(f"Store: {settings.store_url()}")
    made = make_pools(slots)
    for name, count in slots.items():
        say(f"Pool {name}: " + (f"made, {plural(count, 'slot')}" if name in made else "was there"))
    say(LOADER.strip() % dags_folder())
