"""The URL of a page in its one spelling, the URL that the page claims as its own, the ids of both, and the page's host bucket.

Whether a claim is believed is decided over all pages of a run (`processing.resolve.identities`).
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from storage.urls.host_key import host_key, without_port

BUCKETS = 64  # resolve holds one bucket's site memory at a time; stored site memories are sorted by bucket, so the number is fixed
CACHED_URLS = 4_096  # a page's URL is normalised several times while its row is decided on
_WWW = re.compile(r"^https?://(www\.)?")
_SAME_SITE_PREFIX = re.compile(r"^(www\d?|m|mobile|amp)\.")


def bucket_of(host: str) -> int:
    """The host bucket, 0 to BUCKETS - 1: all pages of a host are in one."""
    return int.from_bytes(hashlib.sha256(host.encode()).digest()[:4], "big") % BUCKETS


def page_url(url: str) -> str:
    """A page's own URL as it identifies an article: without fragment, host in lower case, https where the port is the scheme's own.

    So an article stays the same when its site moves to TLS.
    """
    return _normalised(url)


def claimed_url(url: str, canonical: str | None) -> str | None:
    """The URL that a page names as its own where it is another than `page_url`, in the same spelling; None if there is none to believe.

    Never believed is a canonical URL of another site (names under a host, such as `www.` and `amp.`, are no other site), one that is the
    home page while the page is not, and one that is not a URL.
    """
    claimed = _plausible(url, canonical)
    if claimed is None:
        return None
    normalised = _normalised(claimed)
    return None if normalised == _normalised(url) else normalised


def identity_url(url: str, canonical: str | None) -> str:
    """The URL that identifies an article if its page's claim is believed."""
    return claimed_url(url, canonical) or page_url(url)


def url_id(identity: str) -> str:
    """The id of the article that a URL identifies: SHA-256, the first 32 hex digits."""
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def article_id(url: str, canonical: str | None) -> str:
    """`url_id` of the identity URL."""
    return url_id(identity_url(url, canonical))


def twin_key(normalised: str) -> str:
    """What the usual spellings of one page's URL have in common: without scheme, `www.` and the slash at the end of the path."""
    path, mark, query = normalised.partition("?")
    return _WWW.sub("", path).rstrip("/") + mark + query


def twin_urls(normalised: str) -> list[str]:
    """The usual spellings of one page's URL, the given one first: with http or https, with or without `www.` and slash at the end."""
    parts = urlsplit(normalised)
    bare = parts.netloc.removeprefix("www.")
    path = parts.path.rstrip("/")
    path = f"/{path}" if path and not path.startswith("/") else path
    behind = urlunsplit(("", "", "", parts.query, parts.fragment))
    spellings = [
        f"{scheme}://{host}{of_path}{behind}"
        for scheme in ("https", "http")
        for host in (bare, f"www.{bare}")
        for of_path in (path, f"{path}/")
    ]
    return [normalised, *(one for one in spellings if one != normalised)]


def _plausible(url: str, canonical: str | None) -> str | None:
    if not canonical:
        return None
    try:
        joined = urljoin(url, canonical.strip())
    except ValueError:
        return None
    own, claimed = _split(url), _split(joined)
    if own is None or claimed is None or claimed.scheme not in {"http", "https"}:
        return None
    if not _is_same_site(_site(joined), _site(url)) or (_is_home(claimed) and not _is_home(own)):
        return None
    return joined


@lru_cache(CACHED_URLS)
def _site(url: str) -> str:
    return _SAME_SITE_PREFIX.sub("", host_key(url))


def _is_same_site(one: str, other: str) -> bool:
    """Whether two hosts are the same, or one is a name under the other, such as `edition.news.example` under `news.example`."""
    if one == other:
        return bool(one)
    longer, shorter = (one, other) if len(one) > len(other) else (other, one)
    return "." in shorter and longer.endswith(f".{shorter}")


def _is_home(parts: SplitResult) -> bool:
    return parts.path in {"", "/"} and not parts.query


@lru_cache(CACHED_URLS)
def _normalised(url: str) -> str:
    parts = _split(url)
    if parts is None:
        return url
    host = host_key(url)
    scheme = "https" if parts.scheme == "http" and host == without_port(host) else parts.scheme
    return parts._replace(scheme=scheme, netloc=host, path=parts.path or "/", fragment="").geturl()


@lru_cache(CACHED_URLS)
def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts
