"""The address guard: a fetcher connects only to public addresses and to the networks that the crawl's YAML allows.

Each socket checks the resolved address when it is created, also after a redirect. So neither odd spellings (`2130706433`, `0x7f.1`) nor DNS
responses that change between check and connection can pass.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

REFUSED = "address refused by crawlhouse"
NAT64 = IPv6Network("64:ff9b::/96")
SIX_TO_FOUR = IPv6Network("2002::/16")
CLOUD_METADATA = frozenset(
    {ip_address("168.63.129.16"), ip_address("100.100.100.200"), ip_address("192.0.0.192")}
)  # metadata services of clouds; some of these addresses are public
Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

# The IANA special-purpose address registries, without AS112, which serves everybody. Python's `is_global` lacks some of them, depending on
# the release. Of IPv6, only 2000::/3 is in use for public addresses.
SPECIAL_IPV4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
PUBLIC_IPV6 = IPv6Network("2000::/3")
SPECIAL_IPV6 = tuple(IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
ISATAP = (bytes.fromhex("00005efe"), bytes.fromhex("02005efe"))  # RFC 5214: before an IPv4 address at an IPv6 address's end

# Names of the own machine and network: RFC 6761, 6762, 8375, ICANN's `internal`, the hosts files of Linux distributions.
LOCAL_NAMES = frozenset({"localhost", "localhost4", "localhost6", "ip6-localhost", "ip6-loopback", "loopback", "broadcasthost"})
LOCAL_DOMAINS = (".localhost", ".localdomain", ".localdomain4", ".localdomain6", ".local", ".internal", ".home.arpa")


def is_address_allowed(address: str, allowed: Sequence[Network]) -> bool:
    """Whether a fetcher may connect to a resolved address: it is global unicast, or in one of the allowed networks."""
    unwrapped = _embedded_address(ip_address(address.partition("%")[0]))
    if any(unwrapped.version == network.version and unwrapped in network for network in allowed):
        return True
    return unwrapped.is_global and unwrapped not in CLOUD_METADATA and not _is_special(unwrapped)


def _is_special(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return any(address in network for network in SPECIAL_IPV4)
    return address not in PUBLIC_IPV6 or any(address in network for network in SPECIAL_IPV6)


def _embedded_address(address: Address) -> Address:
    """The IPv4 address inside a mapped, translated or tunnelled IPv6 one."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address in SIX_TO_FOUR and address.sixtofour is not None:
        return address.sixtofour
    if address.packed[:12] == bytes(12) and int(address) > 1:  # IPv4-compatible, deprecated
        return IPv4Address(int(address))
    if address.packed[8:12] in ISATAP:
        return IPv4Address(address.packed[12:])
    return address


def literal_address(host: str) -> str | None:
    """The address that a host spells, in any form that resolvers accept; None for a name."""
    bare = host.strip("[]").rstrip(".")
    try:
        return str(ip_address(bare.partition("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(bare)) if bare.isascii() and bare[:1].isdigit() else None
    except OSError:
        return None


def is_host_allowed(host: str, allowed: Sequence[Network]) -> bool:
    """Whether a proxy may be asked for a URL's host. The proxy resolves names, so addresses and local names are refused here.

    A name without a dot belongs to the proxy's own network, and needs a network in `allowed`.
    """
    address = literal_address(host)
    if address is not None:
        return is_address_allowed(address, allowed)
    name = host.lower().rstrip(".")
    if name in LOCAL_NAMES or name.endswith(LOCAL_DOMAINS) or name == socket.gethostname().lower():
        return is_address_allowed("127.0.0.1", allowed)
    return "." in name or bool(allowed)


def guarded_socket_factory(allowed: Sequence[Network]) -> Callable[[Any], socket.socket]:
    """A socket factory for aiohttp that refuses addresses with an OSError whose text contains `REFUSED`."""

    def make(info: tuple[int, int, int, str, tuple[Any, ...]]) -> socket.socket:
        family, kind, protocol, _, where = info
        if not is_address_allowed(str(where[0]), allowed):
            raise OSError(errno.EACCES, f"{REFUSED}: {where[0]}")
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    return make
