"""The pools of crawlhouse's tasks in an Airflow that exists: made once, and never changed again."""

from __future__ import annotations

from collections.abc import Mapping

from crawlhouse.airflow.home import FETCH_POOL, PROCESS_POOL, SHORT_POOL
from schemas.errors import ConfigError, UnavailableError

POOL_DESCRIPTIONS = {
    FETCH_POOL: "Fetch workers that run at once",
    PROCESS_POOL: "Processing tasks that run at once",
    SHORT_POOL: "Tasks that plan and close",
}
# More than workers have room for: they decide how many really run. Fifty machines with eight fetchers each, and four other tasks.
CLUSTER_SLOTS = {FETCH_POOL: 400, PROCESS_POOL: 200, SHORT_POOL: 32}


def make_pools(slots: Mapping[str, int]) -> list[str]:
    """Make the pools that are missing in the Airflow of this process's environment; returns their names.

    Raises ConfigError without an Airflow, and UnavailableError if its database cannot be used.
    """
    from sqlalchemy.exc import SQLAlchemyError

    try:
        from airflow.models.pool import Pool
        from airflow.utils.session import create_session
    except ImportError as error:
        raise ConfigError(f"Airflow cannot be imported: {error}. Run this in the environment of your Airflow.") from error
    made = []
    try:
        with create_session() as session:
            for name, count in slots.items():
                if Pool.get_pool(name, session=session) is None:
                    Pool.create_or_update_pool(name, count, POOL_DESCRIPTIONS[name], include_deferred=False, session=session)
                    made.append(name)
    except SQLAlchemyError as error:
        message = str(getattr(error, "orig", error)).strip().splitlines()[0]
        raise UnavailableError(
            f"Airflow's database cannot be used: {message}. Run `airflow db migrate` first, or set AIRFLOW_HOME."
        ) from error
    return made
