"""The spelling of a URL's host in the frontier, the capture index, the rows and the takedown list; and the digest of a URL.

A host is in lower case and in ASCII (IDNA), without a dot at its end. An IPv6 address is in brackets and in its shortest form (RFC 5952).
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv6Address
from urllib.parse import SplitResult, urlsplit

import idna

from schemas.web.urls import DEFAULT_PORTS
from storage.urls.request_body import read_request_body

MAX_LABEL_CHARACTERS = 63  # RFC 1035, 2.3.4
DIGEST_BYTES = 16  # 128 bits: collisions do not happen in practice
CACHED_HOSTS = 10_000  # of each function; a run has few hosts at a time
_PORT = re.compile(r":\d*\Z")


def host_key(url: str) -> str:
    """The unit of politeness: the host name, with the port if it is not the scheme's default. So http and https are one host.

    Empty for a text that is not a URL with a host.
    """
    parts = _split(url)
    return "" if parts is None else _key(parts.scheme, parts.netloc)


def host_name(url: str) -> str:
    """The host of a URL without its port; empty for a text that is not a URL with a host."""
    return without_port(host_key(url))


def origin(url: str) -> str:
    """Scheme and `host_key` of a URL, like `https://example.com:8443`; empty for a text that is not a URL with a host."""
    parts, host = _split(url), host_key(url)
    return f"{parts.scheme}://{host}" if parts is not None and host else ""


def parse_host(text: str) -> str:
    """A host as a person writes it, with or without a port, spelled as `host_key` does. Raises ValueError for a text that is not a host."""
    port = _PORT.search(text)
    scheme = "http" if port is None or port[0] == ":80" else "https"
    name, number = _parts(text)
    return with_port(scheme, canonical_name(name), number)


@lru_cache(CACHED_HOSTS)
def configured_host(text: str) -> str:
    """A host of a crawl's YAML, spelled as `host_key` does; a text that is not a host is only put in lower case."""
    try:
        return parse_host(text)
    except ValueError:
        return text.lower()


def without_port(host: str) -> str:
    """The host name of a `host_key`."""
    return host if host.endswith("]") else _PORT.sub("", host)


def canonical_host(url: str) -> str:
    """`host_key` of a canonical URL: the text between the second and the third slash."""
    return url.split("/", 3)[2]


def canonical_origin(url: str) -> str:
    """`origin` of a canonical URL."""
    return "/".join(url.split("/", 3)[:3])


def canonical_name(name: str) -> str:
    """A host's name, given without brackets and port, in its one spelling. Raises ValueError for a bad name."""
    name = name.lower()
    if ":" in name:
        return f"[{_shortest(IPv6Address(name))}]"
    return (name if name.isascii() else _ascii_name(name)).rstrip(".")


def _ascii_name(name: str) -> str:
    """A name in ASCII by IDNA 2008, as browsers write it: `straße` and `strasse` are two names.

    IDNA 2008 forbids some characters that names have had since IDNA 2003, such as emoji. Browsers take them; so such a name is only mapped
    and encoded label by label. Raises ValueError.
    """
    mapped = idna.uts46_remap(name, std3_rules=False, transitional=False)
    try:
        return idna.encode(mapped).decode("ascii")
    except idna.IDNAError:
        return ".".join(_ascii_label(label) for label in mapped.split("."))


def _ascii_label(label: str) -> str:
    if label.isascii():
        return label
    encoded = "xn--" + label.encode("punycode").decode("ascii")
    if len(encoded) > MAX_LABEL_CHARACTERS:
        raise ValueError(f"a label of a host's name has more than {MAX_LABEL_CHARACTERS} characters")
    return encoded


def _shortest(address: IPv6Address) -> str:
    mapped = address.ipv4_mapped  # versions of Python spell it differently; this is the spelling of the URL Standard
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
        name = name.lower()  # in a WARC file of others
    return with_port(scheme, name, port)


def _parts(authority: str) -> tuple[str, int | None]:
    """Name and port. Raises ValueError."""
    parts = urlsplit(f"//{authority}")
    return parts.hostname or "", parts.port


def with_port(scheme: str, name: str, port: int | None) -> str:
    """A host name with its port, unless the port is the scheme's own."""
    return name if not name or port is None or port == DEFAULT_PORTS.get(scheme) else f"{name}:{port}"


def url_digest(crawl: str, url: str, request: str | None = None) -> bytes:
    """16 bytes of BLAKE2b over the crawl's name and the canonical URL; also over method and body if the stored request is not a GET."""
    digest = blake2b(f"{crawl}\0{url}".encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES)
    sent = None if request is None else read_request_body(request)
    if sent is not None:
        digest.update(f"\0{sent.method}\0".encode() + sent.body)
    return digest.digest()
