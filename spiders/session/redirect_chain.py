"""Chains of redirects: which URLs one has passed, and the cookies that were set on the way.

Sites set a cookie and send back to the same URL. So cookies live along one chain, for the host that set them, and nowhere else: they are
not stored, and no other request has them.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.capture import Capture
from storage.urls.host_key import canonical_host

MAX_CHAINS = 10_000  # that wait for their next URL; bounds memory
MAX_COOKIES = 50  # of one chain, as many as RFC 6265 asks of a host
MAX_COOKIE_CHARACTERS = 4_096  # of one, RFC 6265, 6.1
COOKIE = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*([\x21-\x3a\x3c-\x7e]?[\x20-\x3a\x3c-\x7e]*)(?:;|\Z)")
EXPIRED = re.compile(r";\s*max-age\s*=\s*(?:0|-\d+)\s*(?:;|\Z)|;\s*expires\s*=[^;]*\b19[789]\d\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RedirectChain:
    """The URLs of a chain that were requested before, and the cookies for the host of the next one."""

    urls: tuple[str, ...] = ()
    cookies: Mapping[str, str] = field(default_factory=dict)

    def after(self, capture: Capture, target: str) -> RedirectChain:
        """The chain behind a redirect to `target`."""
        if canonical_host(target) != canonical_host(capture.url):
            return RedirectChain((*self.urls, capture.url))
        return RedirectChain((*self.urls, capture.url), {**self.cookies, **_cookies(capture)} if _sets_cookies(capture) else self.cookies)

    def header(self) -> str:
        """The cookies as a Cookie header; empty without any."""
        return "; ".join(f"{name}={value}" for name, value in list(self.cookies.items())[:MAX_COOKIES] if value)


NO_CHAIN = RedirectChain()


class RedirectChains:
    """The chains whose next URL waits in the frontier, by that URL."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, RedirectChain] = OrderedDict()

    def remember(self, target: str, chain: RedirectChain) -> None:
        """Remember a chain until its next URL is requested."""
        self._waiting[target] = chain
        if len(self._waiting) > MAX_CHAINS:
            self._waiting.popitem(last=False)

    def take(self, url: str) -> RedirectChain:
        """The chain that leads to a URL, once."""
        return self._waiting.pop(url, NO_CHAIN)


def _sets_cookies(capture: Capture) -> bool:
    return any(name.lower() == b"set-cookie" for name, _ in capture.response_headers)


def _cookies(capture: Capture) -> dict[str, str]:
    """The cookies that a response sets; one that it deletes has an empty value."""
    found: dict[str, str] = {}
    for name, value in capture.response_headers:
        text = value.decode("latin-1") if name.lower() == b"set-cookie" else ""
        pair = COOKIE.match(text) if len(text) <= MAX_COOKIE_CHARACTERS else None
        if pair:
            found[pair[1]] = "" if EXPIRED.search(text) else pair[2].strip()
    return found
