"""A URL that is being fetched."""

from __future__ import annotations

from dataclasses import dataclass

from storage.frontier.records import DueUrl, Lease


@dataclass(eq=False, slots=True)
class UrlInProgress:
    """A URL that is being fetched under a lease. `tries` counts its earlier requests in this run."""

    due: DueUrl
    lease: Lease
    tries: int = 0
