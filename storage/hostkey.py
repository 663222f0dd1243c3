"""Keys of URLs in the frontier: the host that is leased, and the digest that makes a URL unique in its crawl."""

from __future__ import annotations

from hashlib import blake2b
from urllib.parse import urlsplit

from storage.requestbody import sent_by

DEFAULT_PORTS = {"http": 80, "https": 443}
DIGEST_BYTES = 16


def host_key(url: str) -> str:
    """The unit of politeness: host name, and the port where it is not the scheme's own, so that http and https are one host."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if ":" in host:
        host = f"[{host}]"
    port = parts.port
    return host if port is None or port == DEFAULT_PORTS.get(parts.scheme) else f"{host}:{port}"


def canonical_host(url: str) -> str:
    """`host_key` of a URL that is canonical already: what stands between the slashes."""
    return url.split("/", 3)[2]


def url_digest(crawl: str, url: str, request: str | None = None) -> bytes:
    """16 bytes of BLAKE2b over the crawl's name and the canonical URL, and over method and body where a kept request is no GET."""
    digest = blake2b(f"{crawl}\0{url}".encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES)
    sent = None if request is None else sent_by(request)
    if sent is not None:
        digest.update(f"\0{sent.method}\0".encode() + sent.body)
    return digest.digest()
