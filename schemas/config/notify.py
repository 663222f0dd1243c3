"""The key `notify` of a crawl file: who is told of what."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.yaml_files.bounds import length_at_most
from schemas.yaml_files.model import ConfigModel
from schemas.yaml_files.values import SECRET_NAME, Line

MAX_RECEIVERS = 100


class Alarm(StrEnum):
    """What is told of a crawl: something that is wrong, or, with `recovered`, that it is over."""

    FAILED = "failed"  # a task, or the command, failed
    THRESHOLD = "threshold"  # a run missed a threshold
    GATE = "gate"  # rows are held back
    SILENT = "silent"  # no new row for longer than the crawl's past makes likely
    LATE = "late"  # a run is overdue
    QUARANTINE = "quarantine"  # far more rows than usual broke a rule
    LAYOUT = "layout"  # the pages of a host look different from before
    RECOVERED = "recovered"


class Notify(ConfigModel):
    """A channel and what it is told about. `channel` is a name, never the address itself.

    The address is the variable CRAWLHOUSE_NOTIFY_<NAME> of the environment, or the Airflow connection of that name. `to` has the receivers
    for a connection of type `smtp`.
    """

    channel: str = Field(pattern=SECRET_NAME)
    about: Annotated[tuple[Alarm, ...], length_at_most(len(Alarm))] = tuple(Alarm)
    to: Annotated[tuple[Line, ...], length_at_most(MAX_RECEIVERS)] = ()
