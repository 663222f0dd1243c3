"""Chains of redirects: which URLs one has passed, and the cookies that were set on the way.

Sites set a cookie and send back to the same URL. So cookies live along one chain, each for the URLs that it is set for (RFC 6265), and
nowhere else: they are not stored, and no other request has them.
"""

from __future__ import annotations

import http.client
import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from itertools import islice
from typing import cast
from urllib.request import Request

from schemas.capture import Capture
from schemas.outcomes import Reason
from spiders.discover.priorities import MAX_REDIRECTS
from storage.urls.surt import is_shared_suffix

MAX_CHAINS = 10_000  # that wait for their next URL; bounds memory
MAX_KNOWN = 10_000  # redirects of which it is known where they lead; bounds memory
MAX_BESIDE = 1_000  # URLs that lead to one URL beside a chain
MAX_COOKIES = 50  # of one response and of one request, as many as RFC 6265 asks of a host
MAX_COOKIE_CHARACTERS = 4_096  # of one, RFC 6265, 6.1
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class _CookiePolicy(DefaultCookiePolicy):
    """A cookie without Domain is for its host alone, and none is for hosts of several owners, such as all of co.uk (RFC 6265, 5.3)."""

    def set_ok_domain(self, cookie: Cookie, request: Request) -> bool:
        """Whether a response may set a cookie for the domain that it names."""
        allowed: bool = super().set_ok_domain(cookie, request)
        return allowed and not (cookie.domain_specified and is_shared_suffix(cookie.domain.lstrip(".")))


POLICY = _CookiePolicy(strict_ns_domain=DefaultCookiePolicy.DomainStrictNonDomain)


@dataclass(frozen=True, slots=True)
class RedirectChain:
    """The URLs of a chain that were requested before, the Cookie header that each was `sent`, and all cookies that were set on the way.

    `beside` are further URLs that lead to the same one, such as all pages behind one wall, and redirects behind it that are known.
    """

    urls: tuple[str, ...] = ()
    cookies: tuple[Cookie, ...] = ()
    sent: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()

    def after(self, capture: Capture) -> RedirectChain:
        """The chain behind a redirect."""
        lines = list(_cookie_lines(capture))
        cookies = _with_lines(self.cookies, capture.url, lines) if lines else self.cookies
        return RedirectChain((*self.urls, capture.url), cookies, (*self.sent, self.header(capture.url)), self.beside)

    def header(self, url: str) -> str:
        """The cookies for a URL as a Cookie header; empty without any."""
        sent = Request(url)  # noqa: S310  # it is not sent: the jar takes a URL in this form
        if self.cookies:
            _jar(self.cookies).add_cookie_header(sent)
        return "; ".join(sent.get_header("Cookie", "").split("; ")[:MAX_COOKIES])

    def has_new_cookies(self, url: str) -> bool:
        """Whether a URL of the chain would be sent other cookies than the last time: then its answer may be another."""
        earlier = next(sent for known, sent in zip(reversed(self.urls), reversed(self.sent), strict=True) if known == url)
        return self.header(url) != earlier


NO_CHAIN = RedirectChain()


class RedirectChains:
    """The chains whose next URL waits in the frontier, by that URL; and where the redirects led that were followed without cookies."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, RedirectChain] = OrderedDict()
        self._known: OrderedDict[str, str | Reason] = OrderedDict()

    def remember(self, target: str, chain: RedirectChain) -> None:
        """Remember a chain until its next URL is requested."""
        other = self._waiting.get(target, NO_CHAIN)
        self._waiting[target] = replace(chain, beside=(*chain.beside, *other.urls, *other.beside)[:MAX_BESIDE])
        if len(self._waiting) > MAX_CHAINS:
            self._waiting.popitem(last=False)

    def take(self, url: str) -> RedirectChain:
        """The chain that leads to a URL, once."""
        return self._waiting.pop(url, NO_CHAIN)

    def learn(self, url: str, leads_to: str | Reason) -> None:
        """Learn where a URL leads that was requested without cookies: to another URL, or nowhere."""
        self._known[url] = leads_to
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)

    def known_end(self, begin: str, target: str) -> tuple[Reason | None, tuple[str, ...]]:
        """Why a redirect to a URL that was requested before leads nowhere, None if it may lead on; and the redirects behind it."""
        passed: tuple[str, ...] = (target,)
        while len(passed) <= MAX_REDIRECTS:
            following = self._known.get(passed[-1])
            if following is None:
                break
            if isinstance(following, Reason):
                return following, passed
            if following == begin:
                return Reason.REDIRECT_LOOP, passed
            passed = (*passed, following)
        return None, passed


class _Answer:
    """A response with one Set-Cookie line, in the form that the jar takes. In several lines it would not see that one deletes another."""

    def __init__(self, line: str) -> None:
        self._headers = http.client.HTTPMessage()
        self._headers["Set-Cookie"] = line

    def info(self) -> http.client.HTTPMessage:
        return self._headers


def _cookie_lines(capture: Capture) -> Iterable[str]:
    lines = (_text(value) for name, value in capture.response_headers if name.lower() == b"set-cookie")
    return islice((line for line in lines if len(line) <= MAX_COOKIE_CHARACTERS and not CONTROL.search(line)), MAX_COOKIES)


def _text(value: bytes) -> str:
    try:
        return value.decode()  # as the request's headers are written
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _with_lines(cookies: Iterable[Cookie], url: str, lines: Iterable[str]) -> tuple[Cookie, ...]:
    """The cookies after a response. A cookie that has expired is taken out."""
    jar = _jar(cookies)
    for line in lines:
        jar.extract_cookies(cast("http.client.HTTPResponse", _Answer(line)), Request(url))  # noqa: S310  # see `header`
    return tuple(jar)


def _jar(cookies: Iterable[Cookie]) -> CookieJar:
    jar = CookieJar(POLICY)
    for cookie in cookies:
        jar.set_cookie(cookie)
    return jar
