"""The identity of a page: its identity URL, the id of its article, and its host bucket."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import SplitResult, urljoin, urlsplit

from storage.urls.host_key import host_key, without_port

BUCKETS = 64  # resolve holds one bucket's site memory at a time; stored site memories are sorted by bucket, so the number is fixed
_SAME_SITE_PREFIX = re.compile(r"^(www\d?|m|mobile|amp)\.")


def bucket_of(host: str) -> int:
    """The host bucket, 0 to BUCKETS - 1: all pages of a host are in one."""
    return int.from_bytes(hashlib.sha256(host.encode()).digest()[:4], "big") % BUCKETS


def identity_url(url: str, canonical: str | None) -> str:
    """The URL that identifies an article: its canonical URL if that is plausible, otherwise its own, both normalised.

    A canonical URL is implausible when it is on another host (`www.`, `m.` and `amp.` do not count), when it is the home page and the page
    is not, or when it is not a URL.
    """
    claimed = _plausible(url, canonical)
    return _normalised(claimed or url)


def article_id(url: str, canonical: str | None) -> str:
    """SHA-256 of the identity URL, the first 32 hex digits."""
    return hashlib.sha256(identity_url(url, canonical).encode("utf-8", "surrogatepass")).hexdigest()[:32]


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
    if _site(joined) != _site(url) or (_is_home(claimed) and not _is_home(own)):
        return None
    return joined


def _site(url: str) -> str:
    return _SAME_SITE_PREFIX.sub("", host_key(url))


def _is_home(parts: SplitResult) -> bool:
    return parts.path in {"", "/"} and not parts.query


def _normalised(url: str) -> str:
    """Without fragment, host in lower case. http becomes https, so that articles stay the same when a site moves to TLS."""
    parts = _split(url)
    if parts is None:
        return url
    host = host_key(url)
    scheme = "https" if parts.scheme == "http" and host == without_port(host) else parts.scheme
    return parts._replace(scheme=scheme, netloc=host, path=parts.path or "/", fragment="").geturl()


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts
