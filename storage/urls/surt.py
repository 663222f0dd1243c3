"""The parts of a URL in the capture index: SURT key, host, registered domain."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList

from schemas.web.urls import DEFAULT_PORTS
from storage.urls.host_key import host_name

CACHED_HOSTS = 10_000


_PLAIN = re.compile(
    r"(https?://[a-z0-9][a-z0-9.-]*(?::[0-9]+)?)((?:/\.?[A-Za-z0-9_~-][A-Za-z0-9_~.+=,:@-]*)+/?|/)(?:\?([A-Za-z0-9_~.+=,:@/&-]+))?\Z"
)
_SESSION = re.compile(r"sid|cfid|sessionid", re.IGNORECASE)
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_NAMED = re.compile(
    rf"(https?)://([a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+|[1-9][0-9]?(?:\.{_BYTE}){{3}}|1[0-9][0-9](?:\.{_BYTE}){{3}})(?::([0-9]{{1,5}}))?\Z"
)
_WWW = re.compile(r"\Awww\d*\.", re.ASCII)
_ADDRESS = re.compile(r"[0-9.]+|.*:.*")


@dataclass(frozen=True, slots=True)
class UrlParts:
    """The parts of a URL; a part that is missing is None."""

    host: str
    protocol: str | None
    port: int | None
    path: str | None
    query: str | None


def surt_key(url: str) -> str:
    """The SURT of a URL, for example `com,example)/path?a=1`; the URL itself if it has none, as in `cdxj-indexer`."""
    plain = _PLAIN.match(url)
    try:
        if plain is not None and not (plain[3] and _SESSION.search(plain[3])):
            path = plain[2].lower().removesuffix("/") or "/"
            return _surt_site(plain[1]) + path + ("?" + _sorted(plain[3].lower()) if plain[3] else "")
        return str(_surt().surt(url))
    except (ValueError, AssertionError, AttributeError, TypeError):
        return url


def _sorted(query: str) -> str:
    return "&".join("=".join(pair) for pair in sorted(pair.split("=", 1) for pair in query.split("&"))) if "&" in query else query


def split_url(url: str) -> UrlParts:
    """The parts of a URL; if it cannot be parsed, the host is empty."""
    try:
        parts = urlsplit(url)
        return UrlParts(host_name(url), parts.scheme or None, parts.port, parts.path or None, parts.query or None)
    except ValueError:
        return UrlParts("", None, None, None, None)


@lru_cache(CACHED_HOSTS)
def _surt_site(site: str) -> str:
    """A site's part of the SURT, with the closing bracket. Ordinary names are done here, because the library imports an HTTP client."""
    named = _NAMED.match(site)
    if named is None:
        return str(_surt().surt(site + "/")).removesuffix("/")
    scheme, host, port = named.groups()
    shown = f":{int(port)}" if port and int(port) not in (0, DEFAULT_PORTS[scheme]) else ""
    return ",".join(reversed(_WWW.sub("", host).split("."))) + shown + ")"


@lru_cache(CACHED_HOSTS)
def registered_domain(host: str) -> str | None:
    """The domain under the public suffix, for example `example.co.uk`, by publicsuffixlist's list; None for an address."""
    return None if _ADDRESS.fullmatch(host) else _suffixes().privatesuffix(host)


@lru_cache(CACHED_HOSTS)
def is_shared_suffix(name: str) -> bool:
    """Whether hosts of several owners may end with a name: a public suffix, also a company's (`github.io`), or the end of an address."""
    return _ADDRESS.fullmatch(name) is not None or _all_suffixes().privatesuffix(name) is None


@cache
def _surt() -> Any:  # the package has no types
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer versions of Python warn about escapes in its regular expressions
        import surt
    return surt


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False, only_icann=True)


@cache
def _all_suffixes() -> PublicSuffixList:
    return PublicSuffixList()
