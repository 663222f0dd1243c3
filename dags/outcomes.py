"""How the house's own errors become Airflow's: what another try cannot mend fails at once, in its own words."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowFailException

from schemas.errors import AccountingError, ConfigError, CrawlhouseError, GateError, NotFoundError, ThresholdError

LOG = logging.getLogger(__name__)
FINAL: tuple[type[CrawlhouseError], ...] = (ConfigError, NotFoundError, ThresholdError, GateError, AccountingError)


@contextmanager
def final_errors(*more: type[CrawlhouseError]) -> Iterator[None]:
    """Around a task's body: an error that another try cannot mend turns the task red without retries; all others are retried.

    `more` are further errors that are final here. Either way the sentence has a line of the log to itself, before Airflow's traceback.
    """
    try:
        yield
    except (*FINAL, *more) as error:
        LOG.error("%s", error)  # noqa: TRY400 the sentence alone
        raise AirflowFailException(str(error)) from None
    except CrawlhouseError as error:
        LOG.warning("%s", error)
        raise
