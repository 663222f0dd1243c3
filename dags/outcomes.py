"""Turns errors of `schemas.errors` into Airflow's: an error that a retry cannot solve fails the task at once, with its own message."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from airflow.sdk.exceptions import AirflowFailException

from schemas.config.settings import load_settings
from schemas.errors import AccountingError, ConfigError, CrawlhouseError, GateError, NotFoundError, ThresholdError

LOG = logging.getLogger(__name__)
FINAL: tuple[type[CrawlhouseError], ...] = (ConfigError, NotFoundError, ThresholdError, GateError, AccountingError)


@contextmanager
def final_errors(*more: type[CrawlhouseError]) -> Iterator[None]:
    """Around a task's body: an error that a retry cannot solve fails the task without retries; all others are retried.

    Within it, short outages of the store and the database are waited for.

    `more` are further errors that are final here. In both cases the message has a line of its own in the log, before Airflow's traceback.
    """
    try:
        with _patience():
            yield
    except (*FINAL, *more) as error:
        LOG.error("%s", error)  # noqa: TRY400 the message without a traceback
        raise AirflowFailException(str(error)) from None
    except CrawlhouseError as error:
        LOG.warning("%s", error)
        raise


def _patience() -> AbstractContextManager[None]:
    from storage.outages import patience

    return patience(load_settings())
