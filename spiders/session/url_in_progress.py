"""A URL that is being fetched."""

from __future__ import annotations

from dataclasses import dataclass, replace

from schemas.web.ai_preferences import NO_PREFERENCES, AiPreferences
from spiders.session.redirect_chain import NO_CHAIN, RedirectChain
from storage.frontier.records import DueUrl, Lease


@dataclass(eq=False, slots=True)
class UrlInProgress:
    """A URL that is being fetched under a lease. `tries` counts its earlier requests in this run.

    `chain` is the chain of redirects that led to it. `again` is the URL of that chain to which it led back with new cookies, if it did:
    then that one is requested. `preferences` are the AI preferences that robots.txt has for the URL to request.
    """

    due: DueUrl
    lease: Lease
    tries: int = 0
    chain: RedirectChain = NO_CHAIN
    again: str | None = None
    preferences: AiPreferences = NO_PREFERENCES

    @property
    def url(self) -> str:
        """The URL to request."""
        return self.again or self.due.url

    def go_back(self, target: str, chain: RedirectChain) -> None:
        """Request a URL of the chain again. Its answer is new: what is known of the URL that is due says nothing about it."""
        self.again, self.chain = target, chain
        self.due = replace(self.due, earlier=None, etag=None, last_modified=None)
