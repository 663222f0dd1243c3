"""How the house's own errors become Airflow's: what another try cannot mend fails at once, in its own words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowFailException

from schemas.errors import AccountingError, ConfigError, CrawlhouseError, GateError, NotFoundError, ThresholdError

FINAL: tuple[type[CrawlhouseError], ...] = (ConfigError, NotFoundError, ThresholdError, GateError, AccountingError)


@contextmanager
def final_errors() -> Iterator[None]:
    """Around a task's body: an error that another try cannot mend turns the task red without retries; all others are retried."""
    try:
        yield
    except FINAL as error:
        raise AirflowFailException(str(error)) from error
