"""A URL under way."""

from __future__ import annotations

from dataclasses import dataclass

from storage.frontier.records import DueUrl, Lease


@dataclass(eq=False, slots=True)
class Fetch:
    """A URL that is being fetched under a lease, asked for `tries` times before in this run."""

    due: DueUrl
    lease: Lease
    tries: int = 0
