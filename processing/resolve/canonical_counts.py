"""Count what became of the canonical URLs that the pages of a run claim, and warn of hosts whose canonical URLs are of no use."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import TypedDict

from processing.resolve.identities import Identities
from processing.resolve.records import RecordSummary
from schemas.keys import crawl_run_of
from storage.urls.host_key import host_key

LOG = logging.getLogger(__name__)
MIN_PAGES = 3  # of a host: one or two pages may be mistakes of an editor, three are one of the template
MIN_SHARE = 0.2  # of a host's articles: more than the pages with parameters or of other languages that a sound site has
MAX_HOSTS = 5  # that are named, those with the most pages first: a warning is to be read


class HostClaims(TypedDict):
    """A host on which many articles name a canonical URL that is not theirs, and the one that most of them name."""

    host: str
    articles: int
    refused: int
    canonical_url: str
    named_by: int


class CanonicalCounts(TypedDict):
    """How many pages of a crawl run claim another URL than their own, on how many it was not believed, and the hosts at fault."""

    claims: int
    refused: int
    hosts: list[HostClaims]


class CanonicalCounter:
    """Counts the canonical URLs of a run's pages, which come in portions."""

    def __init__(self) -> None:
        self._claims: Counter[str] = Counter()
        self._refused: dict[str, dict[str, Counter[str]]] = {}  # by crawl run, host and canonical URL
        self._articles: Counter[tuple[str, str]] = Counter()  # by crawl run and host

    def add(self, summaries: Sequence[RecordSummary], identities: Identities) -> None:
        """Count the pages of a portion."""
        for summary in summaries:
            if summary.article_id is None and summary.claimed_url is None:
                continue
            crawl_run, host = crawl_run_of(summary.record_id[0]), host_key(summary.url)
            if summary.article_id is not None:
                self._articles[crawl_run, host] += 1
            if summary.claimed_url is not None:
                self._claims[crawl_run] += 1
                if summary.url in identities.refused:
                    self._refused.setdefault(crawl_run, {}).setdefault(host, Counter())[summary.claimed_url] += 1

    def counts(self) -> dict[str, CanonicalCounts]:
        """The counts by crawl run; only crawl runs with claims. Hosts at fault are logged too."""
        return {
            crawl_run: _counts(crawl_run, count, self._refused.get(crawl_run, {}), self._articles)
            for crawl_run, count in sorted(self._claims.items())
        }


def _counts(crawl_run: str, claims: int, refused: dict[str, Counter[str]], articles: Counter[tuple[str, str]]) -> CanonicalCounts:
    hosts: list[HostClaims] = []
    for host, of_host in refused.items():
        count, total = of_host.total(), articles[crawl_run, host]
        if count >= MIN_PAGES and count >= MIN_SHARE * total:
            canonical, named_by = max(of_host.items(), key=lambda item: (item[1], item[0]))
            hosts.append({"host": host, "articles": total, "refused": count, "canonical_url": canonical, "named_by": named_by})
    hosts.sort(key=lambda found: (-found["refused"], found["host"]))
    for found in hosts[:MAX_HOSTS]:
        LOG.warning("%s: %s", crawl_run, sentence(found))
    return {"claims": claims, "refused": sum(of_host.total() for of_host in refused.values()), "hosts": hosts[:MAX_HOSTS]}


def sentence(found: HostClaims) -> str:
    """What is wrong with the canonical URLs of a host, for people."""
    return (
        f"{found['refused']} of {found['articles']} articles on {found['host']} name a canonical URL that is not stored or has "
        f"another text, most often {found['canonical_url']} ({found['named_by']}). Their own URLs identify them."
    )
