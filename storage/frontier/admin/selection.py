"""Which URLs of the frontier a person means: by crawl, host, pattern, state and last outcome."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class UrlState(StrEnum):
    """The state of a URL."""

    WAITING = "waiting"  # in an open run
    DUE = "due"  # for the next run
    SCHEDULED = "scheduled"  # for a later one
    FINISHED = "finished"  # never again
    PAUSED = "paused"  # by hand
    DROPPED = "dropped"  # by hand


class Change(StrEnum):
    """What a person can do with URLs."""

    RETRY = "retry"
    DROP = "drop"
    PAUSE = "pause"
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class Selection:
    """URLs that meet all given conditions. `glob` must match the whole URL (`*` and `?`), `regex` any part of it."""

    crawl: str | None = None
    host: str | None = None
    glob: str | None = None
    regex: str | None = None
    state: UrlState | None = None
    outcome: str | None = None
    reason: str | None = None

    def is_everything(self) -> bool:
        """Whether nothing is given."""
        return self == Selection()
