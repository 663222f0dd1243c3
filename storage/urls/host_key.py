"""How the host of a URL is spelled, everywhere: in the frontier, the capture index, the rows and the takedown list. And a URL's digest.

A host is in lower case, in ASCII (IDNA), without a dot at its end; an IPv6 address is in brackets and in its shortest form (RFC 5952).
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv6Address
from urllib.parse import SplitResult, urlsplit

import idna

from storage.urls.request_body import read_body

DEFAULT_PORTS = {"http": 80, "https": 443}
DIGEST_BYTES = 16
CACHED_HOSTS = 10_000
_PORT = re.compile(r":\d*\Z")


def host_key(url: str) -> str:
    """The unit of politeness: host name, and the port where it is not the scheme's own, so that http and https are one host.

    Empty for what is no URL with a host.
    """
    parts = _split(url)
    return "" if parts is None else _key(parts.scheme, parts.netloc)


def host_name(url: str) -> str:
    """The host of a URL, without its port; empty for what is no URL with a host."""
    return without_port(host_key(url))


def origin(url: str) -> str:
    """Scheme and `host_key` of a URL, like `https://example.com:8443`; empty for what is no URL with a host."""
    parts, host = _split(url), host_key(url)
    return f"{parts.scheme}://{host}" if parts is not None and host else ""


def parse_host(text: str) -> str:
    """A host as somebody writes it, with or without a port, spelled as `host_key` does. Raises ValueError for what is no host."""
    port = _PORT.search(text)
    scheme = "http" if port is None or port[0] == ":80" else "https"
    name, number = _parts(text)
    return _with_port(scheme, canonical_name(name), number)


@lru_cache(CACHED_HOSTS)
def configured_host(text: str) -> str:
    """A host of a crawl's YAML, spelled as `host_key` does; in lower case where it is none."""
    try:
        return parse_host(text)
    except ValueError:
        return text.lower()


def without_port(host: str) -> str:
    """The name in a `host_key`."""
    return host if host.endswith("]") else _PORT.sub("", host)


def canonical_host(url: str) -> str:
    """`host_key` of a URL that is canonical already: what stands between the slashes."""
    return url.split("/", 3)[2]


def canonical_origin(url: str) -> str:
    """`origin` of a URL that is canonical already."""
    return "/".join(url.split("/", 3)[:3])


def canonical_name(name: str) -> str:
    """A host's name, without brackets and port, in its one spelling. Raises ValueError for a name that cannot be one."""
    name = name.lower()
    if ":" in name:
        return f"[{_shortest(IPv6Address(name))}]"
    return (name if name.isascii() else idna.encode(name, uts46=True).decode("ascii")).rstrip(".")


def _shortest(address: IPv6Address) -> str:
    mapped = address.ipv4_mapped  # Pythons differ in how they spell it; the URL Standard has this spelling
    return address.compressed if mapped is None else f"::ffff:{int(mapped) >> 16:x}:{int(mapped) & 0xFFFF:x}"


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


@lru_cache(CACHED_HOSTS)
def _key(scheme: str, authority: str) -> str:
    try:
        name, port = _parts(authority)
    except ValueError:
        return ""
    try:
        name = canonical_name(name)
    except ValueError:
        name = name.lower()  # of a page that somebody else captured
    return _with_port(scheme, name, port)


def _parts(authority: str) -> tuple[str, int | None]:
    """Name and port. Raises ValueError."""
    parts = urlsplit(f"//{authority}")
    return parts.hostname or "", parts.port


def _with_port(scheme: str, name: str, port: int | None) -> str:
    return name if not name or port is None or port == DEFAULT_PORTS.get(scheme) else f"{name}:{port}"


def url_digest(crawl: str, url: str, request: str | None = None) -> bytes:
    """16 bytes of BLAKE2b over the crawl's name and the canonical URL, and over method and body where a kept request is no GET."""
    digest = blake2b(f"{crawl}\0{url}".encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES)
    sent = None if request is None else read_body(request)
    if sent is not None:
        digest.update(f"\0{sent.method}\0".encode() + sent.body)
    return digest.digest()
