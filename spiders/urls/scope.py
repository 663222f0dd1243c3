"""Decides which URLs belong to a crawl."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.patterns import url_patterns
from schemas.capture import UrlKind
from spiders.urls.canonical import canonicalize
from storage.urls.host_key import canonical_host, configured_host, host_key, host_name
from storage.urls.surt import registered_domain

if TYPE_CHECKING:  # pydantic stays out of the readers' processes
    from schemas.config.crawl import Crawl


def other_name(host: str) -> str:
    """The name with `www.` of a host without it, and the other way round: sites send everybody from one to the other."""
    return host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"


def is_same_site(one: str, other: str) -> bool:
    """Whether two URLs have one registered domain."""
    domain = registered_domain(host_name(one))
    return domain is not None and domain == registered_domain(host_name(other))


class CrawlScope:
    """Decides by host, patterns and depth.

    Seeds are always in scope, and so are the URLs to which their redirects lead, and the other name of a seed's host, with or without
    `www.`. A host to which a seed's redirects lead belongs to the crawl (`add_host`), unless the crawl itself names its hosts. Include
    patterns apply to pages only.

    If the search for a pattern takes too long, the URL is out of scope.
    """

    def __init__(self, crawl: Crawl) -> None:
        self._hosts = frozenset([*map(configured_host, crawl.hosts()), *map(other_name, map(host_key, (seed.url for seed in crawl.seeds)))])
        self._takes_redirects = not crawl.scope.hosts
        self._suffixes = tuple("." + host for host in self._hosts) if crawl.scope.subdomains else ()
        self._include = url_patterns(crawl.scope.include)
        self._exclude = url_patterns(crawl.scope.exclude)
        self._max_depth = crawl.scope.max_depth
        self.added: tuple[str, ...] = ()
        self._seeds = frozenset(canonicalize(seed.url) for seed in crawl.seeds)

    def covers(self, url: str, kind: UrlKind, depth: int) -> bool:
        """Whether a canonical URL belongs to the crawl. `depth` is its distance from a seed in links."""
        if url in self._seeds:
            return True
        if depth > self._max_depth or not self.covers_host(canonical_host(url)):
            return False
        if any(pattern.search_or(url, default=True) for pattern in self._exclude):
            return False
        return kind is not UrlKind.PAGE or not self._include or any(pattern.search_or(url, default=False) for pattern in self._include)

    def covers_redirect(self, url: str, kind: UrlKind, depth: int, redirects: int, *, may_leave: bool) -> bool:
        """Whether a URL belongs to the crawl because redirects lead from a seed to it; with `may_leave` also to another host.

        Only seeds are pages of depth 0.
        """
        return (
            (kind, depth) == (UrlKind.PAGE, 0)
            and redirects > 0
            and (self.covers_host(canonical_host(url)) or (may_leave and self._takes_redirects))
            and not any(pattern.search_or(url, default=True) for pattern in self._exclude)
        )

    def add_host(self, host: str) -> bool:
        """Take a host into the crawl; whether it was not there before."""
        if not self._takes_redirects or self.covers_host(host):
            return False
        self._hosts |= {host}
        self._suffixes += (f".{host}",) if self._suffixes else ()
        self.added = (*self.added, host)
        return True

    def covers_host(self, host: str) -> bool:
        """Whether a host, as `storage.urls.host_key.host_key` spells it, belongs to the crawl."""
        return host in self._hosts or bool(self._suffixes and host.endswith(self._suffixes))
